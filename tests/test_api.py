"""`daclass.compare`: the numbers of the file path, and one clear line for bad arguments."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import daclass
from daclass.config import Layout, Study
from daclass.errors import InputError
from daclass.stages.analysis import MEASURED
from daclass.tables import read_table
from daclass.wording.verdicts import TWO_NETWORKS
from tests.conftest import ROOT, absent
from tests.planting import run

RNG = np.random.default_rng(0)
TRUTH = np.repeat(range(4), 30)
NAMES = ["ant", "bee", "cat", "dog"]


def runs(hurt: float, number: int = 3) -> np.ndarray:
    """Class numbers [S, N]; the first class is taken for the second with the chance `hurt` more."""
    right = RNG.random((number, len(TRUTH))) < 0.9 - hurt * (TRUTH == 0)
    return np.where(right, TRUTH, (TRUTH + 1) % 4)


STRONG, WEAK = runs(0.5), runs(0.0)
EYE = np.eye(4)[TRUTH]


def small(strong=STRONG, weak=WEAK, truth=TRUTH, **options):
    options = {"settings": {"bootstrap": 100}, **options}
    return daclass.compare(truth, {"strong": strong, "weak": weak}, **options)


def test_importing_daclass_imports_neither_torch_nor_pandas_nor_numpy():
    code = "import daclass, sys; sys.exit(bool({'torch', 'pandas', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_everything_that_the_package_promises_can_be_imported():
    assert {"compare", "class_effects", "Policy", "PolicyCrop"} <= set(dir(daclass))
    for name in set(daclass.__all__) - {"PolicyCrop"}:
        assert getattr(daclass, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'compere'"):
        _ = daclass.compere


def test_a_class_that_pays_is_found_with_its_swallower():
    found = small(classes=NAMES)
    row = found.classes.iloc[0]
    assert (row["name"], row["swallower"], row["images"]) == ("ant", "bee", 30)
    by_hand = (WEAK == TRUTH)[:, TRUTH == 0].mean() - (STRONG == TRUTH)[:, TRUTH == 0].mean()
    assert row["drop"] == pytest.approx(by_hand) and row["low"] > 0 and row["q"] < 0.05
    assert row["reference"] - row["tested"] == pytest.approx(by_hand)
    first = found.confusions.iloc[0]
    assert (first["name"], first["predicted"]) == ("ant", "bee")
    assert list(found.average["condition"].unique()) == ["strong", "weak"]
    assert found.models["accuracy"].tolist() == pytest.approx(
        [*(STRONG == TRUTH).mean(axis=1), *(WEAK == TRUTH).mean(axis=1)]
    )
    assert found.notes == [] and "ant" in repr(found)
    # The change is that of all pictures, and what the best condition has that of a half.
    assert "correct in the half of the pictures that did not choose it" in found.answers[0]


def test_the_notebook_shows_answers_and_table_and_escapes_names():
    page = small(classes=["<b>", "bee", "cat", "dog"])._repr_html_()
    assert (
        page.startswith("<ul>") and "<table" in page and "&lt;b&gt;" in page and "<b>" not in page
    )


def same(one, other):
    pd.testing.assert_frame_equal(one.classes, other.classes)
    pd.testing.assert_frame_equal(one.average, other.average)


def test_numbers_names_lists_pandas_and_torch_are_one():
    found = small(classes=NAMES)
    names = np.array(NAMES)
    same(found, small(names[STRONG], names[WEAK], names[TRUTH]))
    same(found, small(STRONG.tolist(), WEAK.tolist(), TRUTH.tolist(), classes=NAMES))
    series = pd.Series(TRUTH)
    same(found, small(STRONG.astype(float), WEAK.astype(np.int8), series, classes=NAMES))
    torch = pytest.importorskip("torch")
    same(found, small(torch.tensor(STRONG), torch.tensor(WEAK), torch.tensor(TRUTH), classes=NAMES))
    by_name = {f"weak{run}": row for run, row in enumerate(WEAK)}
    same(found, small(STRONG, by_name, classes=NAMES))


def test_predictions_with_an_index_are_joined_by_it():
    truth = pd.Series(TRUTH, index=[f"p{n:03d}" for n in range(len(TRUTH))])
    order = RNG.permutation(len(TRUTH))
    strong = pd.Series(STRONG[0], index=truth.index)
    weak = pd.Series(WEAK[0], index=truth.index)
    found = small(strong, weak, truth)
    same(found, small(strong.iloc[order], weak.iloc[order[::-1]], truth))
    with pytest.raises(InputError, match="no such picture"):
        small(strong.rename(index={"p003": "other"}), weak, truth)


def test_scores_give_rankings_probabilities_and_calibration():
    logits = RNG.normal(size=(2, len(TRUTH), 4)).astype(np.float32)
    logits[:, np.arange(len(TRUTH)), TRUTH] += 2
    chance = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    by_logits, by_chance = small(logits, logits[0]), small(chance, chance[0])
    same(by_logits, by_chance)
    table = by_logits.models.set_index("model")
    assert table.loc["strong[0]", "accuracy"] == (logits[0].argmax(axis=1) == TRUTH).mean()
    confidence = chance[0].max(axis=1)
    assert table.loc["strong[0]", "confidence"] == pytest.approx(confidence.mean())
    edges = np.clip(np.ceil(confidence * 15), 1, 15)
    right = logits[0].argmax(axis=1) == TRUTH
    gaps = [abs((confidence - right)[edges == b].sum()) / len(TRUTH) for b in np.unique(edges)]
    assert table.loc["strong[0]", "calibration_error"] == pytest.approx(sum(gaps))
    wide = np.concatenate([logits, np.full((2, len(TRUTH), 3), -9, np.float32)], axis=2)
    assert set(small(wide, wide[0]).average["k"]) == {1, 5}


def test_label_sets_in_memory():
    sets = [[label] for label in TRUTH]
    sets[0] = [0, 1]
    multi = small(annotations=sets).average.set_index(["condition", "truth"])["accuracy"]
    right = STRONG == TRUTH
    right[:, 0] |= STRONG[:, 0] == 1
    assert multi["strong", "multi"] == pytest.approx(right.mean())
    dense = np.eye(4, dtype=bool)[TRUTH]
    dense[0, 1] = True
    by_name = {str(n): own for n, own in enumerate(sets, 1)}
    for other in (dense, by_name):
        same(small(annotations=sets), small(annotations=other))
    with pytest.raises(InputError, match="they seem to belong to other pictures"):
        small(annotations=[*sets[40:], *sets[:40]])
    frame = pd.DataFrame(dense, columns=NAMES, index=[str(n) for n in range(1, 121)])
    order = np.random.default_rng(1).permutation(120)
    moved = frame.iloc[order, ::-1]  # joined by the names of pictures and classes
    same(small(annotations=sets, classes=NAMES), small(annotations=moved, classes=NAMES))
    same(small(annotations=sets), small(annotations=dense.astype(int).tolist()))
    same(small(annotations=sets), small(annotations=dense.astype(float)))


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        (np.ones((120, 4), int), r"hold 4\.0 of the 4 classes on average"),
        ([[0, 1, 2, 3]] * 120, r"hold 4\.0 of the 4 classes on average"),
        (0.9 * EYE + 0.025, "row 1: 0.925 for class '0' is neither 0 nor 1.*annotations >= 0.1"),
        ((50 * EYE).astype(int), "row 1: 50 for class '0' is neither 0 nor 1.* votes >= 0.1"),
        (np.where(EYE == 1, np.nan, 0), "row 1: nan for class '0' is neither 0 nor 1"),
        (-EYE, "row 1: -1.0 for class '0' is neither"),
        (EYE.astype(str), "row 1: '1.0' for class '0' is neither"),
        (EYE[:, :3], r"shape \(120, 3\), but there are 4 classes"),
        (TRUTH, "annotations: 1: 0 is no list of classes"),
        (["ant"] * 120, "annotations: 1: 'ant' is no list of classes"),
        (3, "annotations: int is no list of label sets"),
        (pd.DataFrame(EYE, columns=["0", "1", "2", "x"]), "the column 'x' is no class"),
        ([["q" * 5000]] * 120, r"'q{57}\.\.\.' is no class"),
    ],
)
def test_label_sets_are_truth_values_or_lists(annotations, message):
    """Counts and smoothed probabilities made labels of all classes, and an accuracy of 100%."""
    with pytest.raises(InputError, match=message) as error:
        small(annotations=annotations)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_what_is_odd_about_label_sets_is_a_note_everywhere(tmp_path: Path):
    wide = np.ones((120, 4), int)
    wide[::2] = np.eye(4)[TRUTH[::2]]
    found = small(annotations=wide)
    assert any("hold 2.5 of the 4 classes on average" in note for note in found.notes)
    few = {str(n + 1): [int((TRUTH[n] + 1) % 4)] for n in range(0, 120, 4)}
    found = small(annotations=few)
    assert any("0.0% of 30 label sets" in note for note in found.notes)
    assert found.notes == found.summary["notes"]
    assert "0.0% of 30 label sets" in found.report(tmp_path / "r.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"strong": np.where(STRONG == 3, 9, STRONG), "classes": NAMES}, "row .* 9 is no class"),
        ({"strong": STRONG - 1}, r"y_pred\['strong'\]: row .* prediction -1 is no class"),
        ({"strong": STRONG[:, 1:]}, "covers 119 pictures, there are 120"),
        ({"strong": STRONG.T}, "covers 3 pictures, there are 120 names .*swapped"),
        ({"strong": np.eye(4, dtype=int)[STRONG]}, "one-hot rows are no rankings"),
        ({"strong": np.full((120, 4), np.nan)}, "row 1: a score is NaN"),
        ({"strong": [[1], [1, 2]]}, "no array"),
        ({"strong": pd.Series([None] * 120)}, "row 1: a value is missing"),
        ({"truth": np.where(TRUTH == 3, -1, TRUTH)}, "row 91: label -1 is no class"),
        ({"truth": TRUTH[:, None]}, r"y_true has shape \(120, 1\)"),
        ({"reference": "strong"}, "comes first in y_pred"),
        ({"reference": "other"}, "comparison"),
        ({"images": ["a"] * 120}, "row 2: a is there twice"),
        ({"images": ["a"]}, "1 names, but y_true has 120"),
        ({"classes": ["ant", "ant", "cat", "dog"]}, "ant twice"),
        ({"annotations": [[9]] * 120}, "annotations: 1: 9 is no class"),
        ({"truth": np.array(NAMES)[TRUTH]}, r"prediction \d is no class: .*classes=\[\.\.\.\]"),
        ({"truth": np.array(NAMES)[TRUTH], "strong": EYE * 0.7 + 0.1}, "has 4 scores .*classes="),
        ({"strong": [10**5000] * 120}, r"row 1: a number of more than 60 digits is no class"),
        ({"truth": [10**5000] * 120}, "y_true: row 1: a number of more than 60 digits"),
        ({"classes": [10**5000, 1, 2, 3]}, "classes: holds a number of more than 4,300 digits"),
        ({"classes": 3}, "classes: 3 is no list of names"),
        ({"classes": "q" * 5000}, r"classes: 'q{57}\.\.\.' is neither"),
        ({"images": [10**5000] * 120}, "images: holds a number of more than"),
        ({"annotations": [[10**5000]] * 120}, "1: a number of more than 60 digits is no class"),
        ({"reference": "q" * 5000}, "reference 'q+"),
        ({"strong": np.eye(4, dtype=int)[STRONG[0]]}, "one-hot rows.*argmax"),
        ({"strong": pd.DataFrame(np.eye(4, dtype=int)[STRONG[0]])}, "one-hot rows.*argmax"),
        ({"strong": np.full((1, 120, 1), 0.5)}, "has one score for each picture"),
        ({"truth": ["07", "10", "101"] * 40}, "'07' is no class: it is no whole number.* length"),
        ({"strong": None}, r"y_pred\['strong'\]: NoneType is no array"),
        ({"strong": {"a": {"b": STRONG[0]}}}, r"\['a'\]: dict is no array"),
        ({"truth": "abc"}, "y_true: str is no array and no list"),
        ({"classes": pd.DataFrame({"x": NAMES})}, "classes: lacks the column name"),
        ({"classes": {"ant": 1, "bee": 2}}, "classes: maps no names to the numbers"),
        ({"images_root": 3}, "images_root: 3 is no path"),
        ({"settings": {"bootstrap": {3}}}, "a setting is nothing that a config can hold"),
        ({"paired": True, "weak": WEAK[:2]}, "has no model with the replicate"),
    ],
)
def test_bad_arguments_are_named_in_one_line(arguments, message):
    with pytest.raises(InputError, match=message) as error:
        small(**arguments)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_labels_may_be_called_so_and_predictions_are_a_mapping():
    pair = {"strong": STRONG, "weak": WEAK}
    options = {"settings": {"bootstrap": 100}}
    same(daclass.compare(labels=TRUTH, y_pred=pair, **options), small())
    for arguments, message in (
        (([*TRUTH], [STRONG, WEAK]), "y_pred: expected predictions by condition, .* got list"),
        ((TRUTH,), "y_pred: expected .* got nothing"),
        ((None, pair), "y_true: the original classes of the pictures are missing"),
    ):
        with pytest.raises(InputError, match=message):
            daclass.compare(*arguments)
    with pytest.raises(InputError, match=r"labels: another name of y_true, .* is it classes"):
        daclass.compare(TRUTH, pair, labels=NAMES)


def test_frames_have_a_row_for_each_picture():
    found = small()
    for cast in (int, float):
        same(small(pd.DataFrame(STRONG.T.astype(cast)), pd.DataFrame(WEAK.T)), found)
    names = [f"p{n}" for n in range(120)]
    frame = pd.DataFrame(STRONG.T, index=names).sample(frac=1, random_state=1)
    turned = pd.DataFrame(0.1 + EYE, columns=NAMES).iloc[:, ::-1]  # columns named by class
    assert small(turned, WEAK, classes=NAMES).models["accuracy"].iloc[0] == 1
    named = small(frame, truth=pd.Series(TRUTH, names), weak=pd.DataFrame(WEAK.T, names))
    same(named, small(images=names))
    same(small(pd.DataFrame(STRONG), WEAK), found)  # a row for each run, as in an array
    one = small(STRONG[0], WEAK[0])
    same(small(pd.DataFrame(STRONG[0]), WEAK[:1].T), one)
    wide = np.eye(4)[STRONG[0]]
    same(small(pd.DataFrame(wide), WEAK[0]), small(wide, WEAK[0]))


def test_classes_may_be_a_mapping_either_way():
    found = small(classes=NAMES)
    same(small(classes=dict(enumerate(NAMES))), found)
    same(small(classes={name: number for number, name in enumerate(NAMES)}), found)


def test_ruled_out_classes_are_last():
    logits = np.where(np.eye(4)[STRONG[0]] == 1, 1.5, -np.inf)
    found = small(logits, np.eye(4)[WEAK[0]])
    assert found.models["accuracy"].iloc[0] == (STRONG[0] == TRUTH).mean()
    ranks = found.tables["predictions"].iloc[:120][["prediction", "second", "third", "fourth"]]
    assert (np.sort(ranks.to_numpy()) == range(4)).all()


@pytest.mark.parametrize("place", ["/proc/x/out", "/proc/out", "no/such/out", "file/out"])
def test_what_cannot_be_written_is_one_line(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    found = small(number_of_runs(1), number_of_runs(1))
    for write in (found.save, lambda name: found.report(f"{name}.html")):
        with pytest.raises(InputError, match=r"cannot be written|there is no folder"):
            write(place)
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def number_of_runs(number):
    return np.repeat(TRUTH[None], number, axis=0)


def test_what_is_saved_can_be_read_again(tmp_path: Path):
    found = small()
    found.save(tmp_path / "out")
    effects = read_table("effects", tmp_path / "out" / "effects.parquet")
    pd.testing.assert_series_equal(effects["drop"], found.tables["effects"]["drop"])
    assert (tmp_path / "out" / "summary.json").is_file()


def test_the_report_has_the_notes(tmp_path: Path):
    found = small(strong=(STRONG + 1) % 4, title="Renamed")
    assert any("each number is 1 too high" in note for note in found.notes)
    page = found.report(tmp_path / "r.html").read_text()
    assert "Renamed" in page and "Look at this first" in page and "1 too high" in page


def test_the_report_shows_pictures_of_a_folder(tmp_path: Path):
    for number in range(1, 41):
        file = tmp_path / "pictures" / f"{number}.png"
        file.parent.mkdir(exist_ok=True)
        Image.new("RGB", (20, 20)).save(file)
    found = small(images_root=tmp_path / "pictures")
    assert set(found.tables["examples"]["class_id"]) == {0, 1}  # the first 40 of 120
    assert "base64,/9j/" in found.report(tmp_path / "r.html").read_text()
    found.save(tmp_path / "saved")
    whole = found.tables["examples"]
    (tmp_path / "pictures" / f"{whole['image_id'].iloc[0]}.png").write_bytes(b"no picture")
    found = small(images_root=tmp_path / "pictures")
    assert len(found.tables["examples"]) == len(whole) - 1
    assert "1 picture is left out of the examples: " in found.notes[-1]


@pytest.mark.parametrize(
    ("strong", "weak", "said"), [(3, 5, "3 models against 5"), (1, 1, "1 model")]
)
def test_sentences_name_the_runs_of_their_contrast(tmp_path, strong, weak, said):
    other = runs(0.2, 7)  # a third condition, whose runs are not those of the contrast
    found = daclass.compare(
        TRUTH,
        {"strong": runs(0.8, strong), "other": other, "weak": runs(0.0, weak)},
        classes=NAMES,
        settings={"bootstrap": 100},
    )
    text = found.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert said in text and "7 models" not in text
    sure = next(line for line in found.answers if line.startswith("How sure"))
    assert said in sure and "7" not in sure.replace("0.7", "")
    assert (TWO_NETWORKS in text) == (strong == 1)
    assert any(TWO_NETWORKS in line for line in found.answers) == (strong == 1)


def test_real_models_give_the_numbers_of_the_file_path(real_data, tmp_path, monkeypatch):
    """The 16 shared ImageNet models: all tables equal to the last digit."""
    folder = real_data / "imagenet_val"
    if not folder.is_dir() or find_spec("timm") is None:
        absent("timm, or the folder imagenet_val of the real data,")
    monkeypatch.chdir(tmp_path)
    with np.load(folder / "top5_16models.npz") as stored:
        models, top = [str(name) for name in stored["models"]], stored["top5"]
    deep = [name for name in models if name.startswith(("vgg", "densenet"))]
    conditions = {"deep": deep, "others": [name for name in models if name not in deep]}
    said = {m: {"condition": c} for c, own in conditions.items() for m in own}
    study = Study.load(
        ROOT / "configs" / "predictions.yaml",
        [
            f"data.root={folder}",
            f"data.models={json.dumps(said)}",
            "comparison={conditions: [deep, others]}",
            "analysis={bootstrap: 100}",
        ],
    )
    layout = Layout(study.name)
    run(study, layout, "predictions", "measure", "categories")
    found = daclass.compare(
        np.loadtxt(folder / "val_labels.txt", dtype=int),
        {c: {m: top[[models.index(m)]] for m in own} for c, own in conditions.items()},
        images=[f"ILSVRC2012_val_{number:08d}.JPEG" for number in range(1, 50_001)],
        classes="imagenet",
        annotations="real",
        settings={"bootstrap": 100},
    )
    for name in (*MEASURED, "categories", "top_confusions", "notes"):
        table = read_table(name, layout.table(name))
        own = found.tables[name][list(table)].reset_index(drop=True)
        pd.testing.assert_frame_equal(own, table, check_dtype=False, check_exact=True)
    assert len(found.models) == 16


def test_the_examples_of_the_docstrings_run():
    import doctest

    from daclass import api

    assert doctest.testmod(api, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0
