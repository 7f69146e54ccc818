"""How `daclass --help` lists its commands: by what somebody has, and the single stages last."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

GROUPS = {
    "with a folder of pictures": ("init", "check", "plan", "study", "headline", "verify", "scout"),
    "with predictions of trained models": ("analyze", "predict"),
    "with a policy": ("policy",),
    "with ImageNet's archives": ("unpack-imagenet",),
    "for editors": ("schema",),
}
"""Commands by what somebody has; those that are not named here are stages."""
SINGLY = "the stages that study runs, one by one"


class GroupedHelp(argparse.HelpFormatter):
    """argparse's own help, but with commands in groups."""

    def _format_action(self, action: argparse.Action) -> str:
        if not isinstance(action, argparse._SubParsersAction):
            return super()._format_action(action)
        commands = {str(each.dest): each for each in action._get_subactions()}
        lines = []
        for title, names in {**GROUPS, SINGLY: tuple(commands)}.items():
            found = [commands.pop(name) for name in names if name in commands]
            if found:
                lines.append(f"\n  {title}:\n")
                self._indent()
                lines += [super(GroupedHelp, self)._format_action(each) for each in found]
                self._dedent()
        return "".join(lines)


class PrintCompletion(argparse.Action):
    """Prints what a shell needs to complete commands and options, and ends."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        try:
            import shtab
        except ModuleNotFoundError:
            parser.error("--print-completion needs shtab: pip install 'daclass[completion]'")
        print(shtab.complete(parser, str(values)))
        parser.exit()
