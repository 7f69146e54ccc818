"""YAML that people write: plain data, and nothing that two readers would take for two things."""

from __future__ import annotations

import re
from typing import Any

import yaml

_TAG = "tag:yaml.org,2002:"
# YAML 1.2.2, 10.3.2: the core schema. The first pattern that fits decides; no pattern, a string.
_SCALARS = {
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+",
    "float": r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
    r"|[-+]?(\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN",
}
# What YAML 1.1, and with it most readers, takes for something else: a truth value, an octal or
# binary number, a time of day.
_AMBIGUOUS = re.compile(
    r"(yes|no|on|off)|[-+]?0[0-9]+|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"
    r"|[-+]?(0b[01_]+|0x[0-9a-fA-F_]*_[0-9a-fA-F_]*|[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?)|<<|=",
    re.IGNORECASE,
)


def load_yaml(text: str) -> Any:
    """The data in a YAML text: mappings, lists, strings, numbers, truth values and null.

    Scalars are those of YAML 1.2's core schema. Refused is what readers disagree about or what
    hides a mistake: scalars that YAML 1.1 reads as something else (``010``, ``1:30``, ``yes``), a
    key that stands twice, aliases, and tags.

    Raises:
        ValueError: the text is not such YAML; one line, with the place.
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ValueError(f"{where}{error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def dump_yaml(content: Any, **layout: Any) -> str:
    """A YAML text from which `load_yaml` gives `content` again.

    Args:
        layout: as for `yaml.safe_dump`; keys keep their order.
    """
    layout = {"sort_keys": False, "allow_unicode": True} | layout
    return str(yaml.dump(content, Dumper=_Dumper, **layout))


def scalar(text: str) -> Any:
    """What a scalar without quotes says: null, a truth value, a number, or the text itself.

    Raises:
        ValueError: YAML 1.1 and YAML 1.2 disagree about it, or a number has too many digits.
    """
    if _AMBIGUOUS.fullmatch(text):
        raise ValueError(f"{text} is ambiguous in YAML: {_written(text)}")
    kind = next((tag for tag, form in _SCALARS.items() if re.fullmatch(form, text)), "str")
    match kind:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            try:
                return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
            except ValueError:
                raise ValueError(f"a number of {len(text):,} digits") from None
        case "float":
            return float(re.sub(r"\.(?=inf|nan)", "", text.lower()))
    return text


def _written(text: str) -> str:
    """How to write an ambiguous scalar."""
    if text.lower() in {"yes", "no", "on", "off"}:
        return f'write true or false, or "{text}" for the word'
    if re.fullmatch(r"[-+]?0[0-9]+", text):
        return f'write {int(text)}, or "{text}" for the text'
    return f'write a decimal number, or "{text}" for the text'


class _Loader(yaml.SafeLoader):
    """Composes as PyYAML does, and makes of it plain data alone, with scalars as `scalar` reads."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):  # type: ignore[no-untyped-call]
            event = self.peek_event()  # type: ignore[no-untyped-call]
            self._refuse(event, f"*{event.anchor} is an alias: write out what it stands for")
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if event.tag is not None:
            self._refuse(event, f"{event.tag} is a tag: leave it out, or quote the text")
        return super().compose_node(parent, index)  # type: ignore[no-untyped-call]

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.construct_object(each) for each in node.value]
        if getattr(node, "style", None):
            return node.value
        try:
            return scalar(node.value)
        except ValueError as error:
            self._refuse(node, str(error))

    def _mapping(self, node: yaml.MappingNode) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for place, value in node.value:
            key = self.construct_object(place)
            if isinstance(key, dict | list):
                self._refuse(place, "a key is a name or a number, not a list or mapping")
            if key in found:
                self._refuse(place, f"{key} stands there twice")
            found[key] = self.construct_object(value)
        return found

    @staticmethod
    def _refuse(place: Any, problem: str) -> Any:
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)


class _Dumper(yaml.SafeDumper):
    """PyYAML's, but strings that YAML 1.2 takes for something else are quoted too."""


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    try:
        plain = scalar(text) == text
    except ValueError:
        plain = False
    return dumper.represent_scalar(f"{_TAG}str", text, _style(text, plain))


_Dumper.add_representer(str, _string)


def _style(text: str, plain: bool) -> str | None:
    """How a string is quoted: YAML 1.1's further line breaks survive in double quotes alone."""
    if any(each in text for each in "\x85\u2028\u2029"):
        return '"'
    return None if plain else "'"
