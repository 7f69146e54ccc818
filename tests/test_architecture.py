"""The lines between the rooms: who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "daclass"
MAY_IMPORT = {
    # room: the daclass modules it may import besides its own
    "augment": {"atomic"},
    "analysis": {"augment", "designer", "errors", "inference", "predictions", "tables"},
    "inference": set(),
    "wording": {"designer"},
    "plots": {"atomic", "augment.settings", "designer", "errors", "tables", "wording"},
    "report": {
        "analysis",
        "atomic",
        "augment.settings",
        "designer",
        "errors",
        "tables",
        "plots",
        "wording",
    },
    "data": {
        "atomic",
        "augment.pictures",
        "augment.plain_yaml",
        "augment.sums",
        "errors",
        "config",
        "tables",
    },
    "training": {"atomic", "augment", "data.tabular", "errors", "config", "tables"},
    "examples": {"augment", "tables"},
    "realised": {"augment", "config"},
    "plan": {
        "augment",
        "designer",
        "data.beton",
        "data.fashion_mnist",
        "data.petri",
        "data.sources",
        "data.tiny_imagenet",
        "errors",
        "config",
        "realised",
        "stages",
        "tables",
        "training",
        "wording",
    },
    "gate": {"atomic", "errors"},
    "errors": set(),
    "provenance": set(),
    "atomic": set(),
    "tables": {"atomic", "errors"},
    "predictions": {"atomic", "errors", "tables"},
    "config": {"augment", "designer", "errors"},
    "designer": {"augment.registry"},
    "api": {
        "analysis",
        "atomic",
        "config",
        "data",
        "errors",
        "examples",
        "plots",
        "predictions",
        "provenance",
        "report",
        "tables",
        "wording",
    },
    "stages": {
        "analysis",
        "atomic",
        "augment",
        "config",
        "data",
        "designer",
        "errors",
        "examples",
        "plots",
        "predictions",
        "provenance",
        "realised",
        "report",
        "tables",
        "training",
    },
    "check": {"wording", "config", "data", "errors", "plan", "realised", "training"},
    "workflow": {"atomic", "config", "errors", "stages"},
    "scout": {"analysis", "atomic", "config", "errors", "stages"},
    "command_help": set(),
    "commands": {"augment.told", "command_help", "config", "stages"},
    "cli": {
        "analysis",
        "atomic",
        "augment",
        "check",
        "commands",
        "config",
        "data",
        "errors",
        "gate",
        "plan",
        "predictions",
        "realised",
        "scout",
        "stages",
        "tables",
        "wording",
        "workflow",
    },
    "__main__": {"cli"},
    "__init__": set(),
}
TORCH_FREE = (
    "analysis",
    "inference",
    "wording",
    "plots",
    "report",
    "tables",
    "predictions",
    "config",
    "designer",
    "stages",
)


def imports(path):
    """Absolute names that a file imports at any depth."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def sources():
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "_workflow" not in path.parts]


def files_of(room):
    folder = PACKAGE / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{room}.py"]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_rooms_import_only_what_they_may(room):
    for path in files_of(room):
        for name in imports(path):
            if name.startswith("daclass.") and name != "daclass.__version__":
                target = name.removeprefix("daclass.")
                allowed = {room, *MAY_IMPORT[room]}
                assert any(target == a or target.startswith(f"{a}.") for a in allowed), (
                    f"{path.relative_to(ROOT)} imports {name}"
                )


def test_every_file_is_of_a_room():
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in sources()}
    assert rooms == set(MAY_IMPORT)


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_file_has_grown_without_a_reason(path):
    """Beyond about 400 lines a file has several reasons to exist, but for the list of tables."""
    lines = len(path.read_text().splitlines())
    assert lines <= 420 or path.name == "tables.py"


@pytest.mark.parametrize("room", TORCH_FREE)
def test_analysis_plots_and_report_load_no_torch(room):
    modules = [
        str(path.relative_to(ROOT).with_suffix("")).replace("/", ".").removesuffix(".__init__")
        for path in files_of(room)
    ]
    code = f"import sys, {', '.join(modules)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_policies_need_neither_torch_nor_numba():
    code = "import sys; from daclass.augment import Policy; "
    code += "sys.exit(bool({'torch', 'numba', 'ffcv'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_policies_that_everybody_knows_are_named_once():
    """Baselines, the control and the question: named in `daclass.designer`, by their designers'
    functions, and nowhere else."""
    names = {"uniform_tested", "uniform_best", "uniform_reference", "random_classes", "fp_informed"}
    templates = sorted((PACKAGE / "report" / "templates").glob("*"))
    assert templates
    for path in templates:
        assert not [name for name in names if name in path.read_text()], path
    for path in sources():
        if path.name == "designer.py" or "designers" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.Constant) and node.value in names), path
