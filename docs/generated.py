"""The parts of the reference that the code itself writes, as MyST Markdown.

Settings come from the JSON schema of `daclass.config`, tables from `daclass.tables`, commands from
`daclass.commands`. The pages are committed, so that they can be read where the repository is; `make
reference` writes them anew, and a test fails where they have drifted from the code.
"""

from __future__ import annotations

import argparse
import json
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import BaseModel

from daclass.augment import AXES
from daclass.augment.settings import SETTINGS
from daclass.commands import make_parser
from daclass.config import Study
from daclass.designer import DESIGNERS
from daclass.tables import TABLES

Node = dict[str, Any]


def text(words: str) -> str:
    """Plain words with code between backticks, safe in Markdown: one paragraph each."""
    paragraphs = []
    for paragraph in words.split("\n\n"):
        parts = " ".join(paragraph.split()).replace("``", "`").split("`")
        for place in range(0, len(parts), 2):  # what is not between backticks
            for sign in "\\<*[_":
                parts[place] = parts[place].replace(sign, f"\\{sign}")
        paragraphs.append("`".join(parts))
    return "\n\n".join(paragraphs)


def prose(words: str, indent: str = "") -> str:
    """`text` in lines of at most 100 characters, those after the first indented."""
    paragraphs = (
        textwrap.fill(
            paragraph,
            100 - len(indent),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for paragraph in text(words).split("\n\n")
    )
    return "\n\n".join(paragraphs).replace("\n", f"\n{indent}").replace(f"\n{indent}\n", "\n\n")


def settings() -> str:
    """Every section of a study's config and every setting in it, with all that is known of it."""
    schema = Study.model_json_schema()
    return "\n\n".join(_sections("", schema, schema["$defs"]))


@cache
def models() -> dict[str, type[BaseModel]]:
    """The sections of the config by the name of their class."""

    def below(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
        for model in base.__subclasses__():
            yield model
            yield from below(model)

    found = {model.__name__: model for model in below(BaseModel)}
    return {name: found[name] for name in ("Study", *Study.model_json_schema()["$defs"])}


def rules(model: type[BaseModel]) -> list[str]:
    """What the settings of a section must keep together, a sentence or two a rule."""
    validators = model.__pydantic_decorators__.model_validators.values()
    return [(validator.func.__doc__ or "").strip() for validator in validators]


def _sections(place: str, schema: Node, definitions: Node) -> Iterator[str]:
    model = models()[schema["title"]]
    kind = schema.get("properties", {}).get("source", {}).get("const") if place == "data" else None
    title = f"`{place}`, source `{kind}`" if kind else f"`{place}`" if place else "Top level"
    anchor = re.sub(r"[._]", "-", f"source-{kind}" if kind else place or "top-level")
    yield f"({anchor})=\n## {title}"
    if schema.get("description"):
        yield prose(schema["description"])
    for rule in rules(model):
        yield prose(rule)
    sections: list[tuple[str, Node]] = []
    for name, setting in schema["properties"].items():
        dotted = f"{place}.{name}" if place else name
        if kind and name == "source":
            continue  # the title says it
        inner = list(_inner(setting, definitions))
        yield _setting(dotted, setting, name in schema.get("required", ()), inner, kind)
        sections += [(dotted, section) for section in inner]
    for dotted, section in sections:
        yield from _sections(dotted, section, definitions)


def _inner(setting: Node, definitions: Node) -> Iterator[Node]:
    """The sections that a setting holds; those that stand under names of the user's choice too."""
    for option in (setting, *setting.get("anyOf", ()), *setting.get("oneOf", ())):
        if "$ref" in option:
            found = definitions[option["$ref"].removeprefix("#/$defs/")]
            if "properties" in found:
                yield found
        elif isinstance(option.get("additionalProperties"), dict):
            yield from _inner(option["additionalProperties"], definitions)


def _setting(
    dotted: str, setting: Node, required: bool, inner: list[Node], kind: str | None
) -> str:
    lines = [f"```{{confval}} {dotted}"]
    if kind:  # sources share names of settings, such as data.root
        lines.append(":no-index:")
    lines.append(f":type: {_section_type(setting, inner) if inner else _type(setting)}")
    default = setting.get("default")
    if required:
        lines.append(":default: none, it has to be given")
    elif inner and default is not None:
        lines.append(":default: those of its settings")
    elif default is None:
        lines.append(":default: left out")
    elif default == "":
        lines.append(":default: empty")
    else:
        lines.append(f":default: ``{json.dumps(default)}``")
    meaning = setting.get("description") or (inner[0].get("description", "") if inner else "")
    return "\n".join([*lines, "", prose(meaning), "```"])


def _section_type(setting: Node, inner: list[Node]) -> str:
    if len(inner) > 1:
        return "section, of another kind for each source"
    named = [option for option in setting.get("anyOf", ()) if "additionalProperties" in option]
    if not named:
        return "section"
    others = [_type(o) for o in setting["anyOf"] if o not in named and o.get("type") != "null"]
    return " or ".join([*others, "a section for each of several names"])


def _type(node: Node) -> str:
    """A schema's type in words, with its limits."""
    if "anyOf" in node or "oneOf" in node:
        options = node.get("anyOf") or node["oneOf"]
        return " or ".join(_type(option) for option in options if option.get("type") != "null")
    if "const" in node or "enum" in node:
        words = [f"``{json.dumps(value)}``" for value in node.get("enum", [node.get("const")])]
        return ("one of " if len(words) > 1 else "") + ", ".join(words)
    match node.get("type"):
        case "array":
            return _array(node)
        case "object" if node["additionalProperties"] is True:
            return "settings by name"
        case "object":
            return f"for each of several names: {_type(node['additionalProperties'])}"
        case "boolean":
            return "true or false"
        case "string" if node.get("format") == "path":
            return "path"
        case "string":
            limits = [f"matches ``{node['pattern']}``"] if "pattern" in node else []
            limits += [f"at most {node['maxLength']} characters"] if "maxLength" in node else []
            return ", ".join(["text", *limits])
        case "integer" | "number" as name:
            return ", ".join(["whole number" if name == "integer" else "number", *_limits(node)])
        case other:
            # Fails the strict build: a setting of a new type needs words here.
            raise TypeError(f"no words for the type {other} of {node}")


def _array(node: Node) -> str:
    if "prefixItems" in node:
        kinds = list(dict.fromkeys(_type(item) for item in node["prefixItems"]))
        return f"{len(node['prefixItems'])} times: {', '.join(kinds)}"
    least = f" of at least {node['minItems']}" if "minItems" in node else ""
    return f"list{least}, each: {_type(node['items'])}"


def _limits(node: Node) -> list[str]:
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "above",
        "maximum": "at most",
        "exclusiveMaximum": "below",
        "multipleOf": "a multiple of",
    }
    return [f"{word} {node[name]:g}" for name, word in words.items() if name in node]


def axes() -> str:
    """The augmentations that a study can vary."""
    rows = [
        f"| `{axis.name}` | {text(axis.meaning)} | {axis.low:g} to {axis.high:g} | "
        f"{axis.stronger} | {axis.identity:g} |"
        for axis in (*AXES.values(), *SETTINGS.values())
    ]
    head = "| Axis | A strength is | Range | Stronger is | Off at |\n|---|---|---|---|---|"
    return "\n".join([head, *rows])


def designers() -> str:
    """The designers of policies in the words of their docstrings, with their own settings."""
    parts = []
    for name, designer in DESIGNERS.items():
        words = designer.doc
        for setting, field in designer.settings.model_fields.items() if designer.settings else ():
            meaning = field.description or ""
            words += f"\n\nSetting `{setting}`, by default {field.default!r}: {meaning}"
        parts.append(f"`{name}`\n: " + prose(words, "  "))
    return "\n\n".join(parts)


def tables() -> str:
    """Every table: what a row stands for, and its columns."""
    parts = []
    for name, table in TABLES.items():
        rows = [
            f"| `{column}` | {_arrow(kind)} | {text(meaning)} |"
            for column, (kind, meaning) in table.columns.items()
        ]
        head = "| Column | Type | What it holds |\n|---|---|---|"
        parts.append(
            f"(table-{name})=\n## {name}\n\n{prose(f'A row: {_lower(table.rows)}')}\n\n{head}\n"
            + "\n".join(rows)
        )
    return "\n\n".join(parts)


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def _arrow(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"list of {_arrow(kind.value_type)}"
    return {"double": "float64", "float": "float32"}.get(str(kind), str(kind))


def commands() -> str:
    """Every command of `daclass` with its options; those that all studies' commands share, once."""
    known = subcommands(make_parser())
    shared = set.intersection(
        *({a.dest for a in c._actions} for c in known.values() if _argument(c, "config"))
    )
    of_check = [a for a in known["check"]._actions if a.dest in shared - {"help"}]
    parts = ["## What every command on a study takes", *map(_option, of_check)]
    for name, command in known.items():
        own = [a for a in command._actions if a.dest not in shared | {"help"}]
        words = ["CONFIG"] if _argument(command, "config") else []
        words += [_spelling(a) if a.required else f"[{_spelling(a)}]" for a in own]
        parts.append(f"(daclass-{name})=\n## daclass {name}\n\n{prose(command.description or '')}")
        parts.append(f"```text\ndaclass {' '.join([name, *words])}\n```")
        parts.append(f"```{{program}} daclass {name}\n```")
        parts += map(_option, own)
    return "\n\n".join(parts)


def _argument(command: argparse.ArgumentParser, name: str) -> bool:
    return any(action.dest == name for action in command._actions)


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands of a parser by name."""
    (found,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return dict(found.choices)


def _spelling(action: argparse.Action) -> str:
    if not action.option_strings:
        return action.dest.upper()
    value = action.metavar or action.dest.upper()
    value = " ".join(value) if isinstance(value, tuple) else value
    if action.choices:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    if action.nargs == "?":
        value = f"[{value}]"
    return f"{action.option_strings[-1]} {'' if action.nargs == 0 else value}".strip()


def _option(action: argparse.Action) -> str:
    notes = [(action.help or "") % vars(action)]
    if "default" in notes[0]:
        pass
    elif action.required and action.option_strings:
        notes.append("It has to be given.")
    elif action.default not in (None, [], False, argparse.SUPPRESS) and action.option_strings:
        notes.append(f"Default: `{action.default}`.")
    words = " ".join(_sentence(note) for note in notes if note)
    return f"```{{option}} {_spelling(action)}\n{prose(words)}\n```"


def _sentence(words: str) -> str:
    words = words[:1].upper() + words[1:]
    return words if words.endswith(".") else f"{words}."


GENERATED = {
    "axes": axes,
    "designers": designers,
    "settings": settings,
    "tables": tables,
    "commands": commands,
}
"""What pages ask for between ``<!-- generated: name -->`` and ``<!-- end: name -->``."""

PAGES = tuple(sorted((Path(__file__).parent / "reference").glob("*.md")))
"""The pages that ask for something."""


def filled(page: str) -> str:
    """A page's text with what the code writes between its marks."""
    for name, write in GENERATED.items():
        start, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
        if start in page:
            before, _, rest = page.partition(start)
            after = rest.partition(end)[2]
            page = f"{before}{start}\n\n{write().strip()}\n\n{end}{after}"
    return page


if __name__ == "__main__":
    for file in PAGES:
        file.write_text(filled(file.read_text(encoding="utf-8")), encoding="utf-8")
