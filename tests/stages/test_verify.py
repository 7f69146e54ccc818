"""What a study has stored, held against its checksums."""

from __future__ import annotations

import pytest

from daclass.config import Layout, Study
from daclass.errors import InputError
from daclass.stages import jobs_of
from daclass.stages.verify import verify
from tests.conftest import ROOT

SMALL = ("data.draws=1", "sweep.seeds=[0]", "interventions=null", "data.petri.train_per_class=2")


@pytest.mark.parametrize("fault", ["changed", "gone"])
def test_a_picture_that_the_study_drew_is_drawn_again(tmp_path, caplog, fault):
    study = Study.load(ROOT / "tests" / "tiny.yaml", SMALL)
    layout = Layout(study.name, tmp_path / "results", tmp_path / "figures")

    def stages():
        jobs = jobs_of(study, layout, look=True)
        return jobs, jobs.get("pictures"), jobs.get("index")

    jobs, pictures, index = stages()
    pictures.run()
    index.run()
    verify(jobs)
    path = sorted((layout.results / "data" / "pictures" / "val").rglob("*.jpg"))[3]
    before = path.read_bytes()
    if fault == "changed":
        path.write_bytes(before[:-30] + bytes([before[-30] ^ 4]) + before[-29:])
    else:
        path.unlink()
    with pytest.raises(InputError, match="1 files are damaged"):
        verify(stages()[0])
    assert str(path) in caplog.text
    _, pictures, index = stages()
    assert pictures.why() and not index.why()  # it is drawn to the bit, so nothing else is stale
    pictures.run()
    assert path.read_bytes() == before
    verify(stages()[0])
