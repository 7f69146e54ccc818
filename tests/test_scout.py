"""Scouting, with networks whose accuracies are known."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from daclass.cli import main
from daclass.config import Layout, Study
from daclass.errors import InputError
from daclass.scout import report, scout, scouted_study, scouting_study, write
from daclass.tables import RUNNERS_UP
from tests.planting import plant

GRID = (0.08, 0.2, 0.35, 0.5, 0.65, 0.75, 0.9, 0.99)
ACCURACY = dict(zip(GRID, (0.3, 0.4, 0.55, 0.6, 0.7, 0.6, 0.5, 0.4), strict=True))
CLASSES, PICTURES = 6, 60
LABELS = np.repeat(np.arange(CLASSES), PICTURES)


def study_of(**changes) -> Study:
    content = {
        "name": "small",
        "data": {"source": "petri", "draws": 6},
        "sweep": {"strengths": list(GRID), "seeds": [0, 1, 2]},
        "interventions": {"seeds": [3, 4, 5]},
    }
    return Study.model_validate(content | changes)


class Trainer:
    """Stands in for training: plants what networks of known accuracy would predict."""

    def __init__(self, layout: Layout) -> None:
        self.layout, self.trained = layout, set[tuple[float, int]]()

    def __call__(self, trial: Study, config: Path) -> None:
        assert Study.load(config) == trial
        rows = []
        for seed in trial.sweep.seeds:
            for strength in trial.strengths:
                self.trained.add((strength, seed))
                rng = np.random.default_rng([seed, GRID.index(strength)])
                right = rng.random(len(LABELS)) < ACCURACY[strength] + rng.normal(0, 0.01)
                rows.append(
                    pd.DataFrame(
                        {
                            "run": f"{strength}-{seed}",
                            "policy": trial.uniform_name(strength),
                            "strength": strength,
                            "seed": seed,
                            "image_id": [f"p{i}" for i in range(len(LABELS))],
                            "view": trial.training.val_crop,
                            "shifted": False,
                            "prediction": np.where(right, LABELS, (LABELS + 1) % CLASSES),
                            **dict.fromkeys(RUNNERS_UP, -1),
                            "probability": 0.5,
                        }
                    )
                )
        ids = rows[0]["image_id"]
        labels = pd.DataFrame({"image_id": ids, "labels": [[int(k)] for k in LABELS]})
        names = [f"c{k}" for k in range(CLASSES)]
        index = {"image_id": ids, "split": "val", "draw": -1, "position": range(len(ids))}
        half = np.where(np.arange(len(ids)) % 2, "select", "estimate")
        plant(
            trial,
            Layout(trial.name, self.layout.results_root, self.layout.figures_root),
            {
                "index": pd.DataFrame({**index, "class_id": LABELS, "half": half, "content": ""}),
                "classes": pd.DataFrame({"class_id": range(CLASSES), "name": names, "path": names}),
                "annotations": labels,
                ("predictions", "sweep"): pd.concat(rows),
            },
        )  # fmt: skip


@pytest.fixture
def layout(tmp_path) -> Layout:
    return Layout("small", tmp_path / "results", tmp_path / "figures")


def test_the_best_strength_is_found_without_training_all(layout):
    study, train = study_of(), Trainer(layout)
    found = scout(study, layout, 2, 0.3, train)
    assert (found.tested, found.reference) == (0.65, 0.99)
    strengths = {strength for strength, _ in train.trained}
    assert 0.2 not in strengths and len(strengths) < len(GRID)
    assert set(found.accuracy) == strengths
    assert found.accuracy[0.65] == pytest.approx(0.7, abs=0.06)
    assert found.strengths == (0.5, 0.65, 0.75, 0.99)
    assert {seed for _, seed in train.trained} == {6, 7}


def test_scouting_uses_neither_seeds_nor_draws_of_the_study():
    study = study_of()
    trial = scouting_study(study, [0.5, 0.99], 3)
    assert trial.sweep.seeds == (6, 7, 8) and trial.interventions is None
    used = {study.draw(seed) for seed in (*study.sweep.seeds, *study.interventions.seeds)}
    assert not used & {trial.draw(seed) for seed in trial.sweep.seeds}
    assert trial.training == study.training and trial.name == "small-scout"
    # The weights of the study's own runs do not depend on what scouting did.
    assert trial.training_digest() == study.training_digest()


def test_the_written_study_is_the_same_but_for_what_scouting_decides(layout, tmp_path):
    study = study_of(analysis={"affected": {"q": 0.1}})
    found = scout(study, layout, 2, 0.3, Trainer(layout))
    more = found._replace(seeds=5)
    config = tmp_path / "scouted.yaml"
    write(study, more, 0.3, config)
    again = Study.load(config)
    assert again.model_dump() == scouted_study(study, more).model_dump()
    assert (again.analysis.tested, again.strengths) == (0.65, found.strengths)
    # Two seeds besides the study's own: none of scouting's (6, 7), nor of the interventions'.
    assert again.sweep.seeds == (0, 1, 2, 8, 9) and again.data.draws == 10
    kept = again.model_dump(exclude={"sweep", "analysis", "data"})
    assert kept == study.model_dump(exclude={"sweep", "analysis", "data"})
    assert again.analysis.affected.q == 0.1
    head = [line for line in config.read_text().splitlines() if line.startswith("#")]
    assert "daclass scout" in head[0] and any("5 seeds find a drop of 30 points" in h for h in head)
    fewer = scouted_study(study, found._replace(seeds=2))
    assert fewer.sweep.seeds == (0, 1)


def test_where_no_seeds_are_enough_it_says_so_and_keeps_the_configs(layout):
    study = study_of()
    found = scout(study, layout, 2, 0.001, Trainer(layout))
    assert found.seeds is None and scouted_study(study, found).sweep.seeds == (0, 1, 2)
    said = report(study, found, 0.001)
    assert "No number of seeds finds a drop of 0.1 points" in said and "more pictures" in said
    trained, whole = map(int, re.search(r"sweep: (\d+), .* against (\d+) for", said).groups())
    assert whole == 8 * 3 and trained == 2 * len(found.accuracy) + 4 * 3


@pytest.mark.parametrize(
    ("seeds", "drop", "message"),
    [(1, 0.1, "at least 2"), (2, 0.0, "share of accuracy"), (2, 10, "share of accuracy")],
)
def test_what_cannot_be_scouted_is_refused(layout, seeds, drop, message):
    with pytest.raises(InputError, match=message):
        scout(study_of(), layout, seeds, drop, Trainer(layout))


def test_a_file_that_is_there_is_not_overwritten(tmp_path, capsys):
    config = tmp_path / "study.yaml"
    config.write_text(yaml.safe_dump(study_of().model_dump(mode="json", exclude_defaults=True)))
    there = tmp_path / "study.scouted.yaml"
    there.write_text("mine")
    assert main(["scout", str(config)]) == 2
    assert "exists already" in capsys.readouterr().err and there.read_text() == "mine"
