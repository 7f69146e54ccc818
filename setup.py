"""The wheel takes the workflow too, which a clone has at its root; the rest: pyproject.toml."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
SUFFIXES = {".smk", ".yaml", ".rst"}  # rules, profiles, captions


class BuildWithWorkflow(build_py):
    """Copies Snakefile and workflow/ into the package, where `daclass.workflow.home` finds them."""

    def run(self) -> None:
        super().run()
        for source, target in self.workflow_files().items():
            self.mkpath(str(Path(target).parent))
            self.copy_file(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *self.workflow_files().values()]

    def workflow_files(self) -> dict[str, str]:
        """Where each file of the workflow is copied to; none in an editable install."""
        if self.editable_mode:
            return {}
        found = [file for file in (ROOT / "workflow").rglob("*") if file.suffix in SUFFIXES]
        target = Path(self.build_lib, "daclass", "_workflow")
        return {
            str(file): str(target / file.relative_to(ROOT)) for file in (ROOT / "Snakefile", *found)
        }


setup(cmdclass={"build_py": BuildWithWorkflow})
