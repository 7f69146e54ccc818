from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated

import pytest
import yaml

from daclass.config import Layout, Study
from daclass.config.base import ADDED, Section
from daclass.errors import InputError
from tests.conftest import ROOT

MINIMAL = {
    "name": "small",
    "data": {"source": "petri"},
    "sweep": {"strengths": [0.08, 0.5], "seeds": [0, 1]},
    "interventions": {"seeds": [2, 3]},
}


def load(tmp_path, content=None, changes=()):
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(MINIMAL if content is None else content))
    return Study.load(path, changes)


TUNING = "interventions.fine_tuning"
RAMP = "{from_resolution: %d, start_epoch: %d, end_epoch: %d}"


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_config_of_the_project_is_fine(path):
    assert Study.load(path).name == path.stem


def test_the_schema_has_not_drifted():
    """`make schema` writes it anew."""
    written = json.loads((ROOT / "workflow" / "schemas" / "study.json").read_text())
    assert written == Study.model_json_schema()


def test_defaults_make_a_study(tmp_path):
    study = load(tmp_path)
    assert (study.strongest, study.reference_strength) == (0.08, 0.5)
    assert study.conditions == ("rrc_scale=0.08", "rrc_scale=0.5")
    assert study.reference_condition == "rrc_scale=0.5"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("training.epoch=3", r"training\.epoch: unknown setting"),
        ("trainig.epochs=3", r"trainig: unknown setting"),
        ("training.epochs=few", r"training\.epochs: .*integer"),
        ("training.epochs=0", r"training\.epochs"),
        ("training.warmup_epochs=99", r"training: warmup_epochs must be smaller"),
        ("training.widths=[4, 8, 8]", r"training\.widths"),
        ("training.processes=5", r"training: batch_size must be a multiple of processes"),
        (f"training.resizing={RAMP % (64, 1, 2)}", r"from_resolution must not exceed resolution"),
        (f"training.resizing={RAMP % (8, 2, 2)}", r"resizing: start_epoch must be smaller"),
        (f"training.resizing={RAMP % (8, 1, 99)}", r"end_epoch must be smaller than epochs"),
        ("augmentation.axis=hue", r"augmentation: unknown axis 'hue'"),
        ("sweep.strengths=[0.08]", r"sweep\.strengths"),
        ("sweep.strengths=[]", r"sweep\.strengths"),
        ("sweep.strengths=[0.08, 0.08]", r"sweep: strengths must be distinct"),
        ("sweep.strengths=[0.08, 7]", r"lies in \[0.001, 1\]"),
        ("sweep.seeds=[]", r"sweep\.seeds"),
        ("interventions.seeds=[0, 9]", r"interventions\.seeds must be fresh.*\[0\]"),
        ("data.draws=2", r"interventions\.seeds: seed 2 trains on draw 0, as the sweep's seed 0"),
        ("machine.device=gpu", r"machine\.device"),
        ("training.std=[0, 0, 0]", r"training\.std"),
        ("seed=-1", r"seed"),
        ("interventions.classes=2.5", r"share below 1 or a whole number"),
        ("sweep.strengths=[0.08, 0.080000001, 0.5]", r"strengths must be distinct"),
        ("interventions.classes=[0.1, 2.5]", r"share below 1 or a whole number"),
        ("interventions.classes=0", r"interventions\.classes\.0: .*greater than 0"),
        ("interventions.classes=[]", r"interventions\.classes: .*at least 1 item"),
        ("interventions.classes=[0.1, 0.1]", r"classes must be distinct"),
        ("interventions.random_draws=0", r"interventions\.random_draws"),
        (f"{TUNING}={{epochs: 0, learning_rate: 0.1}}", r"fine_tuning\.epochs: .*greater than"),
        (f"{TUNING}={{epochs: 2, learning_rate: 0}}", r"fine_tuning\.learning_rate: .*greater"),
        (f"{TUNING}={{epochs: 2}}", r"fine_tuning\.learning_rate: Field required"),
        (
            f"{TUNING}={{epochs: 2, learning_rate: 0.1, warmup_epochs: 2}}",
            r"interventions\.fine_tuning: warmup_epochs must be smaller than epochs",
        ),
        (
            f"{TUNING}={{epochs: 2, learning_rate: 0.1, momentum: 0}}",
            r"interventions\.fine_tuning\.momentum: unknown setting",
        ),
        ("interventions.designers=[magic]", r"interventions\.designers"),
        ("analysis.reference=0.3", r"analysis\.reference 0\.3 is not one of sweep\.strengths"),
        ("analysis.reference=0.08", r"the strongest strength: there is no stronger one to test"),
        ("analysis.tested=0.99", r"analysis.tested 0.99 is not one of sweep.strengths"),
        ("analysis.tested=0.5", r"analysis.tested and analysis.reference are both 0.5"),
        ("data.source=cloud", r"data"),
        ("data.petri.picture_size=1", r"data\.petri\.picture_size"),
        ("name=A B", r"name"),
        ("seed=true", r"seed: .*integer"),
        ("sweep.seeds=[true, 0]", r"sweep\.seeds\.0: .*integer"),
        ('training.epochs="4"', r"training\.epochs: .*integer"),
        ("training.epochs=010", r"010 is ambiguous in YAML: write 10"),
        ("training.epochs=1:30", r"1:30 is ambiguous"),
        ("training.val_flip=yes", r"yes is ambiguous in YAML: write true or false"),
        ("training.val_flip=1", r"training\.val_flip: .*boolean"),
        (f"training.epochs={'9' * 30}", r"training\.epochs: .*less than or equal to"),
        (f"training.epochs={'9' * 5000}", r"a number of 5,000 digits"),
        ("training.batch_size=1000000000000", r"training\.batch_size: .*less than or equal"),
        ("training.resolution=100000000", r"training\.resolution: .*less than or equal"),
        ("training.learning_rate=.inf", r"training\.learning_rate: .*finite"),
        ("training.learning_rate=1e300", r"training\.learning_rate: .*less than or equal"),
        ("training.weight_decay=.nan", r"training\.weight_decay: .*finite"),
        ("data.draws=1000000000", r"data\.draws: .*less than or equal"),
        ("data.petri.light=[0, .inf]", r"data\.petri\.light\.1: .*finite"),
        ("sweep.strengths=[0.08, .inf]", r"sweep\.strengths\.1: .*finite"),
        ("sweep.seeds=[0, 1, [2", r"the value is not valid"),
        ("name.first=x", r"--set name\.first=x: name is not a section"),
        ("training.epochs", r"expected SETTING=VALUE"),
    ],
)
def test_a_bad_setting_is_named(tmp_path, change, message):
    with pytest.raises(InputError, match=message) as error:
        load(tmp_path, changes=[change])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds none"),
        ("- a", "holds none"),
        ("a: [", "not valid YAML"),
        ("a: b", "name"),
        ("name: a\nseed: 1\nname: b", r"line 3, column 1: name stands there twice"),
        ("data: {source: petri, source: folder}", "source stands there twice"),
        ("title: &a x\nname: *a", r"line 2, column 7: \*a is an alias"),
        ("title: !!python/name:os.system ''", "is a tag"),
        ("a: " + "[" * 4000, "nested too deeply"),
    ],
)
def test_a_bad_file_is_named(tmp_path, text, message):
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        Study.load(path)
    assert "broken.yaml" in str(error.value)


def test_a_missing_file_is_named():
    with pytest.raises(InputError, match=r"gone\.yaml: cannot read"):
        Study.load(Path("gone.yaml"))


def test_a_change_replaces_a_setting(tmp_path):
    assert load(tmp_path, changes=["training.epochs=7"]).training.epochs == 7
    assert load(tmp_path, changes=["training.learning_rate=1e-3"]).training.learning_rate == 1e-3


@pytest.mark.parametrize(
    "title",
    ["a #b", "a: b", "it's", 'the "best"', "$HOME `x`", "- a", "2024-01-01", "é", "100%", "a,b"],
)
def test_a_text_of_a_change_arrives_as_it_stands(tmp_path, title):
    assert load(tmp_path, changes=[f"title={title}"]).title == title


def test_a_date_is_a_text(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(MINIMAL) + "title: 2024-01-01\n")
    assert Study.load(path).title == "2024-01-01"


@pytest.mark.parametrize(
    ("change", "trains_again"),
    [
        ("sweep.strengths=[0.08, 0.25, 0.5]", False),
        ("training.val_flip=true", False),
        ("machine.compile=true", False),
        ("machine.validate_every=1", False),
        ("training.schedule=cosine", True),
        ("training.blur_pool=true", True),
        ("sweep.seeds=[0, 1, 5]", False),
        ("interventions.designers=[uniform_tested, uniform_best]", False),
        (f"{TUNING}={{epochs: 2, learning_rate: 0.1}}", False),
        ("analysis.affected.share=0.2", False),
        ("machine.threads=2", False),
        ("data.draws=4", False),
        ("data.split_seed=3", False),
        ("data.petri.val_per_class=9", False),
        ("training.val_resolution=40", False),
        ("title=another", False),
        ("training.epochs=7", True),
        ("augmentation.flip=0", True),
        ("data.petri.picture_size=64", True),
        ("seed=1", True),
    ],
)
def test_only_what_decides_weights_trains_again(tmp_path, change, trains_again):
    changed = load(tmp_path, changes=[change]).training_digest() != load(tmp_path).training_digest()
    assert changed == trains_again


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        (
            [],
            "naive_removal fp_informed random_classes_1 random_classes_2 random_classes_3",
        ),
        (["interventions.designers=[]"], ""),
        (
            ["interventions.designers=[uniform_best, graded, uniform_each]"],
            "graded uniform_0.08 uniform_0.5",
        ),
        (
            [
                "interventions.designers=[naive_removal, fp_informed_best, random_classes]",
                "interventions.classes=[3, 0.25, 5]",
                "interventions.random_draws=1",
            ],
            "naive_removal fp_informed_best fp_informed_best_m0.25 fp_informed_best_m5 "
            "random_classes_1 random_classes_m0.25_1 random_classes_m5_1",
        ),
    ],
)
def test_policies_of_the_interventions(tmp_path, changes, names):
    study = load(tmp_path, changes=changes)
    baselines = ("uniform_tested", "uniform_best", "uniform_reference")
    assert study.policy_names("interventions") == (*baselines, *names.split())


def test_draws_of_the_control(tmp_path):
    changes = ["interventions.classes=[3, 5]", "interventions.random_draws=2"]
    assert load(tmp_path, changes=changes).interventions.controls() == {
        "random_classes": ("random_classes_1", "random_classes_2"),
        "random_classes_m5": ("random_classes_m5_1", "random_classes_m5_2"),
    }
    assert load(tmp_path, changes=["interventions.designers=[]"]).interventions.controls() == {}


def test_seeds_take_turns_at_the_draws(tmp_path):
    study = load(tmp_path, changes=["data.draws=4"])
    assert [study.draw(seed) for seed in (0, 1, 2, 3, 101)] == [0, 1, 2, 3, 1]


def test_fine_tuning_is_a_phase_where_it_is_asked_for(tmp_path):
    without = load(tmp_path)
    assert without.phases == ("sweep", "interventions")
    assert without.policy_names("fine_tuning") == without.seeds("fine_tuning") == ()
    tuned = load(tmp_path, changes=[f"{TUNING}={{epochs: 2, learning_rate: 0.1}}"])
    assert tuned.phases == ("sweep", "interventions", "fine_tuning")
    assert tuned.seeds("fine_tuning") == tuned.seeds("interventions") == (2, 3)
    names = tuned.policy_names("interventions")
    assert tuned.policy_names("fine_tuning") == tuple(f"fine_tuned_{name}" for name in names)
    layout = Layout(tuned.name)
    assert layout.policy("fine_tuning", "fine_tuned_x") == layout.policy("interventions", "x")


FOREIGN = {
    "name": "foreign",
    "data": {"source": "predictions", "files": ["p.npz"], "labels": "labels.csv"},
    "comparison": {"conditions": ["new", "old", "older"]},
}


def test_conditions_of_a_study_of_predictions(tmp_path):
    study = load(tmp_path, FOREIGN)
    assert (study.conditions, study.reference_condition) == (("new", "old", "older"), "older")
    assert (study.phases, study.seeds("sweep"), study.strengths) == (("sweep",), (), ())
    changed = load(tmp_path, FOREIGN, ["comparison.reference=old"])
    assert changed.reference_condition == "old"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("comparison=null", "comparison: a study of predictions names its conditions there"),
        ("comparison.conditions=[new]", r"comparison\.conditions"),
        ("comparison.conditions=[new, new]", "comparison: conditions must be distinct"),
        ("comparison.reference=new", "comparison: reference 'new' is not one of"),
        ("comparison.reference=oldest", "comparison: reference 'oldest' is not one of"),
        ("sweep={strengths: [0.1, 0.5], seeds: [0]}", "sweep: a study of predictions trains"),
        ("interventions={seeds: [1]}", "interventions: a study of predictions trains nothing"),
        ("data.files=[]", r"data\.files"),
        ("data.model={}", r"data\.model: unknown setting"),
        ("data.models={m: {replicate: a}}", r"data\.models\.m\.condition: Field required"),
        ("data.models={m: {condition: a, pair: b}}", r"data\.models\.m\.pair: unknown setting"),
        ("data.models=[a, b]", r"data\.models: "),
        ("data.annotations=7", r"data\.annotations: "),
        ("data.files=null", r"data\.files"),
    ],
)
def test_a_bad_setting_of_a_study_of_predictions_is_named(tmp_path, change, message):
    with pytest.raises(InputError, match=message) as error:
        load(tmp_path, FOREIGN, [change])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("sweep=null", "sweep: strengths and seeds are missing"),
        ("comparison={conditions: [a, b]}", "comparison: for data.source predictions alone"),
    ],
)
def test_a_study_that_trains_has_a_sweep_and_no_comparison(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        load(tmp_path, changes=[change])


def test_input_files_of_predictions_start_at_their_root(tmp_path):
    data = {**FOREIGN["data"], "root": "/far", "classes": "imagenet", "annotations": "real.json"}
    files = load(tmp_path, {**FOREIGN, "data": data}).data.input_files()
    assert sorted(map(str, files)) == ["/far/labels.csv", "/far/p.npz", "/far/real.json"]


def test_a_new_recipe_trains_again(tmp_path, monkeypatch):
    before = load(tmp_path).training_digest()
    monkeypatch.setattr("daclass.config.study.RECIPE", 99)
    assert load(tmp_path).training_digest() != before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        # Petri pictures have 48 px, of which 0.875 are 42 and 0.75 are 36.
        (["training.val_resolution=42"], r"study: training\.val_resolution: pictures of 48 px"),
        (["training.val_resolution=48"], r"study: training\.val_resolution: pictures of 48 px"),
        (["training.val_resolution=36", "analysis.views=[0.75, 1.0]"], r"analysis\.views: .*36 px"),
        (["training.val_resolution=38"], r"analysis\.views: .*leave that view out"),
    ],
)
def test_no_view_is_shown_pixel_by_pixel(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        load(tmp_path, changes=changes)
    load(tmp_path, changes=[*changes, "training.exact_view=true"])


def test_views_hold_the_studys_own(tmp_path):
    assert load(tmp_path).views == (0.8, 0.875, 0.95, 1.0)
    changes = ["analysis.views=[]", "training.val_crop=0.9"]
    assert load(tmp_path, changes=changes).views == (0.9,)


def test_digests_are_what_they_were(tmp_path):
    """Finished studies are stored under these; a new setting is marked `ADDED`, not added to it."""
    study = load(tmp_path, changes=["training.val_crop=1.0"])  # the default of then
    assert study.training_digest() == "7bcdb9c45a05"
    assert study.digest("beton", "training", "augmentation", "sweep") == "68e859235412"


def test_a_setting_that_was_added_counts_where_it_is_not_at_its_default(tmp_path):
    class Inner(Section):
        old: int = 1
        new: Annotated[int | None, ADDED] = None

    class Grown(Study):
        inner: Inner = Inner()

    content = {**load(tmp_path).model_dump(), "inner": {}}
    plain = Grown.model_validate(content)
    changed = Grown.model_validate({**content, "inner": {"new": 2}})
    text = json.dumps({"inner": {"old": 1}})
    assert plain.digest("inner") == hashlib.sha256(text.encode()).hexdigest()[:12]
    assert changed.digest("inner") != plain.digest("inner")
    assert plain.digest("inner.new") == plain.digest("inner.new", "inner.new")
    assert plain.model_dump()["inner"] == {"old": 1, "new": None}, "only digests leave it out"
    with pytest.raises(AttributeError):
        plain.digest("inner.unknown")


def test_the_question_is_one_of_the_policies():
    changed = ["interventions.designers=[graded]", "interventions.primary=graded"]
    assert Study.load(ROOT / "tests" / "tiny.yaml", changed).interventions.primary == "graded"
    with pytest.raises(InputError, match="primary: naive is none of the study's policies: uniform"):
        Study.load(ROOT / "tests" / "tiny.yaml", ["interventions.primary=naive"])
