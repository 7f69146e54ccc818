"""Damage is noticed: checkpoints, weights and .beton files with flipped bytes, or of others."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from daclass.data.sources import content_hash
from daclass.errors import InputError
from daclass.training.batches import Samples
from daclass.training.checkpoint import load_checkpoint, save_checkpoint
from daclass.training.models import build_model
from daclass.training.runs import DamagedWeights
from tests.training.conftest import loader_of, runs_in, study_of, val_loader_of

RNG = np.random.default_rng()  # other places at every run


def flip(path, place):
    """Flip a bit of the byte at `place`; gives what stood there before."""
    content = bytearray(path.read_bytes())
    before = bytes(content)
    content[place] ^= 1 << int(RNG.integers(8))
    path.write_bytes(content)
    return before


def asides(path):
    return sorted(path.parent.glob(f"{path.name}.damaged-*"))


def network():
    torch.manual_seed(0)
    return build_model(study_of().training, 2)


def test_a_flipped_bit_anywhere_in_a_checkpoint_is_noticed_or_harmless(tmp_path):
    (run,) = runs_in(tmp_path, "weak")
    state = {"model": network().state_dict(), "epoch": 1, "loss_sum": 0.5}
    save_checkpoint(run, state)
    size, noticed = run.checkpoint.stat().st_size, 0
    for place in RNG.integers(0, size, 150):
        before = flip(run.checkpoint, place)
        try:
            found = load_checkpoint(run)
        except InputError as error:
            assert "damaged" in str(error) and "set aside as checkpoint.pt.damaged-1" in str(error)
            assert not run.checkpoint.exists()
            (aside,) = asides(run.checkpoint)
            aside.unlink()
            noticed += 1
        else:  # padding between the parts
            assert found["epoch"] == 1 and found["loss_sum"] == 0.5
            for name, tensor in state["model"].items():
                torch.testing.assert_close(found["model"][name], tensor, rtol=0, atol=0)
        run.checkpoint.write_bytes(before)
    assert noticed > 100


def test_a_flipped_bit_anywhere_in_weights_is_noticed(tmp_path):
    (run,) = runs_in(tmp_path, "weak")
    run.folder.mkdir(parents=True)
    run.save_weights(network(), '{"training": {}}', 1.0)
    for place in RNG.integers(0, run.weights.stat().st_size, 150):
        before = flip(run.weights, place)
        with pytest.raises(DamagedWeights, match=r"set aside as weights\.safetensors\.damaged-1"):
            run.load_weights(network())
        assert not run.trained
        asides(run.weights)[0].unlink()
        run.weights.write_bytes(before)
    run.load_weights(network())
    assert run.seconds == 1.0


def test_another_runs_weights_are_not_taken_for_its_own(tmp_path):
    run, other = runs_in(tmp_path, "weak", "strong")
    for each in (run, other):
        each.folder.mkdir(parents=True)
        each.save_weights(network(), "{}", 1.0)
    shutil.copy(other.weights, run.weights)
    with pytest.raises(DamagedWeights, match=f"those of another run, {other.key}, set aside"):
        run.verify()
    twin = replace(other, name="another name")
    twin.verify()


def copied(samples, folder):
    beton = folder / samples.beton.name
    for file in samples.beton.parent.glob(f"{beton.name}*"):
        shutil.copy(file, folder)
    return Samples(beton, samples.files, samples.labels)


def read_train(study, samples):
    loader = loader_of(study, samples, np.full((1, len(samples.labels)), 0.5), 0)
    for _ in loader.epoch(0, 0, study.training.resolution):
        pass


def read_val(study, samples):
    for _ in val_loader_of(study, samples):
        pass


@pytest.mark.usefixtures("ffcv")
@pytest.mark.parametrize("read", [read_train, read_val])
def test_a_flipped_bit_in_a_beton_is_noticed_when_its_sample_is_used(
    tmp_path, smooth_samples, read
):
    from ffcv.reader import Reader

    from daclass.augment.sums import damaged_samples

    samples = copied(smooth_samples, tmp_path)
    study = study_of("ffcv")
    read(study, samples)
    place = np.sort(Reader(str(samples.beton)).alloc_table, order="sample_id")[17]
    before = flip(samples.beton, int(place["ptr"]) + int(RNG.integers(place["size"])))
    assert damaged_samples(samples.beton).tolist() == [17]
    with pytest.raises(InputError, match=r"sample 17 .* damaged, set aside as smooth.beton.dama"):
        read(study, samples)
    samples.beton.write_bytes(before)  # without sums, as older ones are
    read(study, samples)


@pytest.mark.usefixtures("ffcv")
def test_a_betons_tables_are_checked_when_it_is_opened(tmp_path, smooth_samples):
    from ffcv.reader import Reader
    from ffcv.types import HeaderType

    samples = copied(smooth_samples, tmp_path)
    reader = Reader(str(samples.beton))
    first = HeaderType.itemsize + reader.field_descriptors.nbytes
    width = first + reader.metadata.dtype["f0"].fields["width"][1]
    flip(samples.beton, width)
    with pytest.raises(InputError, match="its tables differ from what was written, set aside as"):
        loader_of(study_of("ffcv"), samples, np.full((1, len(samples.labels)), 0.5), 0)


@pytest.mark.usefixtures("ffcv")
def test_a_change_of_any_word_changes_the_sum():
    from daclass.augment.sums import sample_sum

    for size in (1, 7, 8, 9, 64, 1000):
        data = RNG.integers(0, 256, size, np.uint8)
        whole = sample_sum(data)
        for place in RNG.integers(0, size, 20):
            changed = data.copy()
            changed[place] ^= np.uint8(1 << RNG.integers(8))
            assert sample_sum(changed) != whole
        assert sample_sum(data[:-1]) != whole


@pytest.mark.usefixtures("ffcv")
def test_arrays_that_may_be_written_do_not_make_a_later_loader_hang():
    """FFCV changes numba's own type of byte arrays, in a process of its own for that reason."""
    script = """
import numba, numpy
from daclass.augment.sums import sample_sum

bytes_ = numpy.arange(100, dtype=numpy.uint8)
fixed = bytes_.copy()
fixed.flags.writeable = False
expected = sample_sum(fixed), sample_sum(bytes_)
type_of_ffcv = numba.uint8[::1]
type_of_ffcv.mutable = False  # as OSCacheManager.state_type does
in_a_pipeline = numba.njit(lambda data: sample_sum(data))
assert (in_a_pipeline(fixed), in_a_pipeline(bytes_)) == expected
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_picture_that_changed_since_it_was_indexed_is_named(threads, smooth_samples, tmp_path):
    """A loader without .beton reads the files themselves: damage that still decodes is noticed."""
    files = [tmp_path / file.name for file in smooth_samples.files]
    for file, copy in zip(smooth_samples.files, files, strict=True):
        shutil.copy(file, copy)
    contents = [content_hash(file) for file in files]
    samples = Samples(smooth_samples.beton, files, smooth_samples.labels, contents)
    study = study_of("torchvision")
    machine = study.machine.model_copy(update={"threads": threads})
    study = study.model_copy(update={"machine": machine})
    strengths = np.full((1, len(files)), 0.5)
    for batches in (
        loader_of(study, samples, strengths, 0).epoch(0, 0, 16),
        val_loader_of(study, samples),
    ):
        assert sum(1 for _ in batches)
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(files[7])
    changed = f"{files[7]}: changed since it was indexed"
    with pytest.raises(InputError, match=re.escape(changed)):
        list(loader_of(study, samples, strengths, 0).epoch(0, 0, 16))
    with pytest.raises(InputError, match=re.escape(changed)):
        list(val_loader_of(study, samples))
