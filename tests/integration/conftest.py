"""A headless Chromium, driven by Playwright. Run by `make test-integration`, not by `make test`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

# Tests are imported by path and share no package: this makes the helper known by its name.
sys.path.insert(0, str(Path(__file__).parents[1] / "plots"))

from synthetic_study import NAMES, study_summary, study_tables

from daclass.cli import main
from daclass.plots.draw import draw_all
from daclass.report.write import write_report
from tests.conftest import ROOT

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium; without it these tests fail rather than pass unseen."""
    playwright = pytest.importorskip("playwright.sync_api")
    assert CHROMIUM, "the browser tests need chromium: apt-get install chromium"
    with playwright.sync_playwright() as driver:
        # --no-sandbox: as root, as in containers, Chromium's own sandbox does not start.
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def reports(tmp_path_factory):
    """Writes a report with its figures: (name, keyword arguments of study_tables) -> file."""
    made: dict[str, Path] = {}

    def write(name: str, **study) -> Path:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            tables = study_tables(**study)
            draw_all(tables, folder)
            write_report(
                study_summary(tables, f"Study <{name}>"), tables, folder, folder / "report.html"
            )
            made[name] = folder / "report.html"
        return made[name]

    return write


@pytest.fixture(scope="session")
def odd_report(reports) -> Path:
    """Every section, and class names that have broken pages."""
    names = list(NAMES)
    for place, name in ((2, "<script>alert(1)</script>"), (5, "שלום עולם"), (9, "日本語の猫")):
        names[place] = name
    return reports("odd", names=tuple(names), affected=3)


@pytest.fixture(scope="session")
def large_report(reports) -> Path:
    """A thousand classes with everything that a study can have."""
    names = tuple(f"class {i:03}" for i in range(1000))
    return reports("large", names=names, affected=50, planted=False)


@pytest.fixture(scope="session")
def imagenet_report(real_data, tmp_path_factory) -> Path:
    """The report on eight real models' predictions of ImageNet's validation pictures."""
    folder = tmp_path_factory.mktemp("imagenet")
    arguments = [f"--results={folder / 'results'}", f"--figures={folder / 'figures'}"]
    root = f"--set=data.root={real_data / 'imagenet_val'}"
    assert main(["analyze", str(ROOT / "configs/predictions.yaml"), root, *arguments]) == 0
    return folder / "figures" / "predictions" / "report.html"
