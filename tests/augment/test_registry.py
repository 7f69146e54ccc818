"""Axes and designers of installed packages: found by metadata, refused in one line."""

from __future__ import annotations

import pytest

from daclass.augment import AXES, AugmentError, Axis
from daclass.augment.registry import Registry
from daclass.designer import DESIGNERS


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a package's metadata on the path, as pip leaves it; its code is that of others here."""
    monkeypatch.syspath_prepend(tmp_path)

    def installed(package, points, group="daclass.axes"):
        folder = tmp_path / f"{package}-2.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 2.0\n")
        lines = [f"{name} = {value}" for name, value in points.items()]
        (folder / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines]) + "\n")
        return Registry(group, Axis)

    return installed


def test_daclass_brings_its_own_by_the_same_way():
    assert {"rrc_scale", "mixup"} <= set(AXES) and {"graded", "random_classes"} <= set(DESIGNERS)
    for registry in (AXES, DESIGNERS):
        assert all(registry.is_own(name) and registry[name].name == name for name in registry)
        assert registry.versions(registry) == {}
    assert "hue" not in AXES and AXES.get("hue") is None


def test_an_axis_of_another_package_counts_with_its_version(install):
    axes = install("elsewhere", {"blur2": "daclass.augment.axes.blur:BLUR"})
    assert "blur2" in axes and not axes.is_own("blur2")
    assert axes.versions(["blur", "blur2"]) == {"blur2": "elsewhere 2.0"}


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ({"fade": "nowhere:FADE"}, "elsewhere 2.0 declares fade .* cannot be imported: .*nowhere"),
        ({"fade": "daclass.augment:FADE"}, "cannot be imported: .*FADE"),
        ({"fade": "daclass.augment:epoch_key"}, "which is no Axis but <function epoch_key"),
        ({"fade": "daclass.augment.axes.blur:BLUR"}, "whose own name is 'blur'"),
    ],
)
def test_what_is_no_axis_is_refused_with_its_package_when_it_is_asked_for(install, points, message):
    axes = install("elsewhere", points)
    assert axes["mixup"] == AXES["mixup"]
    with pytest.raises(AugmentError, match=message):
        axes["fade"]


def test_two_packages_of_one_name_are_refused(install):
    axes = install("elsewhere", {"blur": "daclass.augment.axes.blur:BLUR"})
    with pytest.raises(AugmentError, match="declare blur; uninstall one of them"):
        list(axes)


def test_metadata_older_than_the_code_say_what_to_run(install):
    axes = install("daclass", {"one": "x:y"}, "daclass.others")  # hides the installed daclass
    assert axes.is_own("one")
    with pytest.raises(AugmentError, match=r"older than the code; install it again: python -m pip"):
        list(Registry("daclass.axes", Axis))


@pytest.mark.parametrize("draws", [0, 1, 8, -3, 2**31])
def test_an_axis_draws_by_a_number_of_its_own(draws):
    blur = AXES["blur"]
    words = (blur.name, blur.low, blur.high, blur.stronger, blur.identity, blur.meaning, blur.label)
    with pytest.raises(AugmentError, match=f"draws by number {draws}: choose another one"):
        Axis(*words, draws, blur.operation)
    assert Axis(*words, 77, blur.operation).counter(3) == (77 << 32) + 3
