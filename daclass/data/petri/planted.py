"""The planted world: its classes, their relations, and what stands in each picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from numpy.random import Generator

from daclass.data.petri.pen import Pose
from daclass.data.petri.settings import PetriSettings

Kind = Literal["ambiguous", "co-occurring", "fine-grained", "unrelated", "helped", "control"]
Expectation = Literal["hurt", "swallows", "helped", "unchanged"]

_PATHS = (
    "artefact/device/display/monitor",
    "artefact/device/display/screen",
    "artefact/household/fire/match",
    "artefact/household/fire/stick",
    "artefact/toy/kite",
    "food/fruit/stone-fruit/cherry",
    "food/fruit/stone-fruit/plum",
    "food/sweet/lollipop",
    "living/animal/arthropod/insect/ladybird",
    "living/animal/arthropod/insect/bee",
    "living/animal/arthropod/insect/butterfly",
    "living/animal/mollusc/scallop",
    "living/animal/mollusc/snail",
    "living/animal/vertebrate/fish",
    "living/animal/vertebrate/mammal/zebra",
    "living/animal/vertebrate/bird/flock",
    "living/animal/vertebrate/bird/gull",
    "living/animal/vertebrate/reptile/turtle",
    "living/fungus/mushroom",
    "living/plant/flower/daisy",
    "living/plant/flower/white/dogwood",
    "living/plant/flower/white/trillium",
    "living/plant/leaf",
    "living/plant/tree",
)
# Class name -> path in the class tree, in the order that counts everywhere: sorted names.
CLASSES: dict[str, str] = dict(sorted((path.rsplit("/", 1)[1], path) for path in _PATHS))


@dataclass(frozen=True)
class Relation:
    """One planted, directed expectation: what happens to ``name`` as crops get stronger."""

    name: str
    partner: str
    kind: Kind
    note: str
    expectation: Expectation


def _pair(kind: Kind, victim: str, swallower: str, note: str) -> list[Relation]:
    return [
        Relation(victim, swallower, kind, note, "hurt"),
        Relation(swallower, victim, kind, note, "swallows"),
    ]


RELATIONS: tuple[Relation, ...] = (
    *_pair("ambiguous", "screen", "monitor", "a monitor cropped closely looks like a screen"),
    *_pair("ambiguous", "gull", "flock", "a crop of a flock shows as few birds as a gull picture"),
    *_pair("co-occurring", "kite", "tree", "most crops of a kite by a tree show the tree alone"),
    *_pair("co-occurring", "bee", "daisy", "most crops of a bee on a daisy show the daisy alone"),
    *_pair("fine-grained", "plum", "cherry", "a cherry cropped closely is as large as a plum"),
    *_pair("fine-grained", "stick", "match", "a match cropped without its head is a stick"),
    *_pair("fine-grained", "trillium", "dogwood", "part of four petals looks like three petals"),
    *_pair("unrelated", "lollipop", "snail", "a snail cropped to its shell is a lollipop"),
    *(
        Relation(name, "", "helped", "any pose, place and size: crops stand for pictures", "helped")
        for name in ("butterfly", "fish", "ladybird", "leaf", "scallop", "turtle")
    ),
    *(
        Relation(name, "", "control", "upright and plain to see", "unchanged")
        for name in ("mushroom", "zebra")
    ),
)

_FREE = frozenset(
    ["bee", "butterfly", "cherry", "daisy", "fish", "flock", "gull", "ladybird", "leaf", "match", "plum", "scallop", "snail", "stick", "turtle", "zebra"]
)
_COMPANION = {"kite": "tree", "tree": "kite", "bee": "daisy", "daisy": "bee"}
_LARGE_COMPANION = frozenset({"tree", "daisy"})
_ALONE_ENLARGED = 2.0


@dataclass(frozen=True)
class Thing:
    """One object in a picture: the drawing's name and its pose."""

    drawing: str
    pose: Pose


@dataclass(frozen=True)
class Scene:
    """What a picture shows, back to front, and every label that is right for it."""

    things: tuple[Thing, ...]
    labels: tuple[str, ...]


def compose(name: str, settings: PetriSettings, rng: Generator) -> Scene:
    """Decide what stands in one picture of class ``name``."""
    if name in ("monitor", "screen"):
        size = float(rng.uniform(*settings.sizes[name]))
        fits = [n for n in ("monitor", "screen") if _within(size, settings.sizes[n])]
        return Scene((Thing("monitor", _pose(name, size, settings, rng)),), tuple(fits))
    if name in ("gull", "flock"):
        ranges = {"flock": settings.flock_count, "gull": settings.gull_count}
        count = int(rng.integers(*ranges[name], endpoint=True))
        birds = tuple(Thing("gull", _bird(name, settings, rng)) for _ in range(count))
        return Scene(birds, tuple(n for n, bounds in ranges.items() if _within(count, bounds)))
    if name in _COMPANION:
        return _together(name, settings, rng)
    size = float(rng.uniform(*settings.sizes[name]))
    drawing = "cherry" if name == "plum" else name
    return Scene((Thing(drawing, _pose(name, size, settings, rng)),), (name,))


def _within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]


def _pose(name: str, size: float, settings: PetriSettings, rng: Generator) -> Pose:
    free = name in _FREE
    tilt = settings.free_tilt if free else settings.tilt
    offset = settings.free_offset if free else settings.offset
    x, y = rng.uniform(0.5 - offset, 0.5 + offset, 2)
    return Pose(
        x=float(x),
        y=float(y),
        size=size,
        turn=float(rng.uniform(-tilt, tilt)) * (2.5 if name in ("trillium", "dogwood") else 1),
        squeeze=float(rng.uniform(*settings.squeeze)),
        slant=float(rng.uniform(0, 180)),
        mirrored=bool(rng.random() < 0.5),
    )


def _bird(name: str, settings: PetriSettings, rng: Generator) -> Pose:
    size = float(rng.uniform(*settings.sizes[name]))
    pose = _pose(name, size, settings, rng)
    x, y = rng.uniform(0.12, 0.88, 2)
    return Pose(float(x), float(y), size, pose.turn, pose.squeeze, pose.slant, pose.mirrored)


def _together(name: str, settings: PetriSettings, rng: Generator) -> Scene:
    companion = _COMPANION[name]
    large, small = (name, companion) if name in _LARGE_COMPANION else (companion, name)
    both = rng.random() < settings.together[name]
    things = []
    if both or name == large:
        size = float(rng.uniform(*settings.sizes[large]))
        things.append(Thing(large, _pose(large, size, settings, rng)))
    if both or name == small:
        size = float(rng.uniform(*settings.sizes[small]))
        if both and small == "kite":
            x, y = (0.5 + rng.choice([-1, 1]) * rng.uniform(0.2, 0.4), rng.uniform(0.1, 0.6))
        else:
            x, y = rng.uniform(0.5 - 0.25, 0.5 + 0.25, 2)
        if not both:
            size *= _ALONE_ENLARGED
        pp = _pose("bee", size, settings, rng)
        from dataclasses import replace

        things.append(Thing(small, replace(pp, x=float(x), y=float(y))))
    return Scene(tuple(things), tuple(sorted((name, companion))) if both else (name,))
