"""The documentation site: complete, strictly built, and silent on the network."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from daclass.augment import AXES
from daclass.commands import make_parser
from daclass.config import Study
from daclass.designer import DESIGNERS
from daclass.tables import TABLES
from tests.conftest import ROOT
from tests.docs.pages import BLOCK, PAGES, blocks

LANGUAGES = {"console", "csv", "python", "text", "toml", "yaml"}
# Blocks of these have to be run by a test of the page; others are checked here.
RUN = {
    "augment.md": "test_augment.py",
    "fine-tuning.md": "test_site.py",
    "own-axis.md": "test_own_pages.py",
    "own-data.md": "test_own_pages.py",
    "own-designer.md": "test_own_pages.py",
    "own-predictions.md": "test_own_pages.py",
    "reference/tables.md": "test_site.py",
    "tutorial.md": "test_site.py",
    "use-elsewhere.md": "test_use_elsewhere.py",
}


@pytest.fixture(scope="module")
def generated():
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        import generated
    finally:
        sys.path.pop(0)
    return generated


class Links(HTMLParser):
    """Anchors of a page, what it links to, and what it loads."""

    def __init__(self, file):
        super().__init__()
        self.anchors, self.links, self.loads = set(), [], []
        self.feed(file.read_text())

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") in {"stylesheet", "icon", "preload"}:
            self.loads.append(given["href"])
        elif given.get("src"):
            self.loads.append(given["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built as `make docs` does, but for running the notebooks, whose test runs them; the
    name server of the build's process fails."""
    folder = tmp_path_factory.mktemp("site")
    options = ["--fail-on-warning", "--keep-going", "--fresh-env", "--quiet"]
    options += ["-D", "nb_execution_mode=off"]
    offline = (
        "import socket, sys; from sphinx.cmd.build import main; "
        "socket.getaddrinfo = None; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", offline, *options, "docs", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return {file.relative_to(folder).as_posix(): Links(file) for file in folder.rglob("*.html")}


def test_every_page_is_built_and_in_the_contents(site):
    built = {page.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for page in PAGES}
    assert built <= set(site)
    listed = {urlsplit(link).path for link in site["index.html"].links}
    assert built - {"index.html"} <= listed | {f"api/{name}.html" for name in ("index",)}


def test_every_module_that_may_be_imported_is_in_the_reference():
    written = (ROOT / "docs/api/analysis.md").read_text()
    for path in (ROOT / "daclass/analysis").glob("[a-z]*.py"):
        assert f"automodule:: daclass.analysis.{path.stem}\n" in written


def test_links_within_the_site_lead_somewhere(site):
    for page, found in site.items():
        for link in found.links:
            target = urlsplit(link)
            if target.scheme or target.netloc:
                continue
            folder = page.rpartition("/")[0]
            path = ROOT / "site" / folder / unquote(target.path)
            name = path.resolve().relative_to((ROOT / "site").resolve()).as_posix()
            name = page if not target.path else name
            if name in site and target.fragment:
                assert unquote(target.fragment) in site[name].anchors, f"{page}: {link}"


def test_pages_load_nothing_from_elsewhere(site):
    for page, found in site.items():
        for file in found.loads:
            assert not urlsplit(file).netloc, f"{page} loads {file}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_blocks_are_of_a_kind_that_is_checked(page):
    kinds = {kind for kind, _ in BLOCK.findall(page.read_text())}
    assert kinds <= LANGUAGES
    name = page.relative_to(ROOT / "docs").as_posix()
    if kinds & {"csv", "python", "toml", "yaml"}:
        assert name in RUN, "no test runs the blocks of this page"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_exist(page, monkeypatch):
    """Options are parsed, targets and files looked up; nothing is run."""
    monkeypatch.chdir(ROOT)
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    for kind, code in BLOCK.findall(page.read_text()):
        for line in code.splitlines() if kind == "console" else ():
            if not line.startswith("$ "):
                continue
            program, *words = shlex.split(line.removeprefix("$ ").partition(" > ")[0])
            if program.endswith("python") and words[:2] == ["-m", "daclass"]:
                program, words = "daclass", words[2:]
            if program.endswith("daclass"):
                make_parser().parse_args(words)
            elif program == "make":
                assert words[0] in targets
            else:
                assert program.endswith("python") and words[0] == "-m", line


def test_the_fine_tuned_study_is_one(tmp_path):
    (text,) = blocks("fine-tuning.md", "yaml")
    (tmp_path / "tuned.yaml").write_text(text)
    tuned = Study.load(tmp_path / "tuned.yaml").policy_names("fine_tuning")
    assert {"fine_tuned_fp_informed", "fine_tuned_uniform_tested"} <= set(tuned)


def test_the_tutorials_study_is_one(tmp_path):
    (text,) = blocks("tutorial.md", "yaml")
    (tmp_path / "mine.yaml").write_text(text)
    study = Study.load(tmp_path / "mine.yaml")
    demo = yaml.safe_load((ROOT / "configs" / "demo.yaml").read_text())
    assert study.name == "mine" and study.data.draws == demo["data"]["draws"]


def test_the_way_to_read_a_table(tmp_path, monkeypatch, capsys):
    import pandas as pd

    monkeypatch.chdir(tmp_path)
    (script,) = blocks("reference/tables.md", "python")
    columns = TABLES["effects"].columns
    assert all(name in columns for name in re.findall(r"(\w+) ==", script))
    row = dict.fromkeys(columns, 0.5) | {
        "truth": "original", "half": "estimate", "reference": "fixed", "class_id": 7, "rank": 1,
    }  # fmt: skip
    (tmp_path / "results" / "demo").mkdir(parents=True)
    pd.DataFrame([row]).to_parquet("results/demo/effects.parquet")
    exec(script, {})
    assert "7" in capsys.readouterr().out


def test_the_committed_reference_has_not_drifted_from_the_code(generated):
    for page in generated.PAGES:
        written = page.read_text(encoding="utf-8")
        name = page.relative_to(ROOT)
        assert written == generated.filled(written), f"{name} has drifted: run `make reference`"
    assert {page.stem for page in generated.PAGES} == {"commands", "config", "tables"}


def test_every_setting_is_in_the_reference_with_its_meaning(generated):
    written = generated.settings()
    for name, model in generated.models().items():
        for setting, field in model.model_fields.items():
            if setting == "source":
                continue
            nested = field.annotation in generated.models().values()
            assert field.description or nested, f"{name}.{setting} has no docstring"
            assert re.search(rf"{{confval}} ([\w.]+\.)?{setting}\n", written), setting
        for rule in generated.rules(model):
            assert rule, f"a validator of {name} does not say what it asks for"


def test_a_setting_shows_type_limits_and_default(generated):
    written = generated.settings()
    part = written[written.index("{confval} training.batch_size") :].partition("```\n")[0]
    assert ":type: whole number, at least 1" in part
    assert ":default: ``128``" in part
    assert "Pictures a step, over all processes." in part
    part = written[written.index("{confval} analysis.affected.rule") :].partition("```\n")[0]
    assert 'one of ``"top"``, ``"fdr"``' in part


def test_every_column_is_in_the_reference_with_its_meaning(generated):
    written = generated.tables()
    for name, table in TABLES.items():
        part = written[written.index(f"(table-{name})=") :]
        for column, (_, meaning) in table.columns.items():
            assert meaning.endswith(".") and f"| `{column}` |" in part, f"{name}.{column}"


def test_every_command_and_option_is_in_the_reference(generated):
    written = generated.commands()
    for name, command in generated.subcommands(make_parser()).items():
        assert f"## daclass {name}\n" in written
        assert command.description, f"{name} does not say what it does"
        for action in command._actions:
            assert action.help, f"{name} {action.dest} has no help"
            for option in action.option_strings if action.dest != "help" else ():
                assert option in written


def test_every_axis_and_designer_is_in_the_reference(generated):
    assert all(f"| `{name}` |" in generated.axes() for name in AXES)
    for name, designer in DESIGNERS.items():
        assert f"`{name}`\n: " in generated.designers() and designer.doc
