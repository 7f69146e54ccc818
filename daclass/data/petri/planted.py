"""The planted world: its classes, their relations, and what stands in each picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from numpy.random import Generator

from daclass.config.petri import PetriSettings
from daclass.data.petri.pen import Pose

Kind = Literal["ambiguous", "co-occurring", "fine-grained", "unrelated", "helped", "control"]
Expectation = Literal["hurt", "swallows", "helped", "unchanged"]

_PATHS = (
    "artefact/device/display/monitor",
    "artefact/device/display/screen",
    "artefact/household/kindling/match",
    "artefact/household/kindling/stick",
    "artefact/toy/kite",
    "food/fruit/stone-fruit/cherry",
    "food/fruit/stone-fruit/plum",
    "food/sweet/lollipop",
    "living/animal/insect/bee",
    "living/animal/insect/butterfly",
    "living/animal/insect/ladybird",
    "living/animal/mollusc/scallop",
    "living/animal/mollusc/snail",
    "living/animal/vertebrate/fish",
    "living/animal/vertebrate/mammal/zebra",
    "living/animal/vertebrate/bird/flock",
    "living/animal/vertebrate/bird/gull",
    "living/animal/vertebrate/reptile/turtle",
    "living/fungus/mushroom",
    "living/plant/flower/daisy",
    "living/plant/flower/dogwood",
    "living/plant/flower/trillium",
    "living/plant/leaf",
    "living/plant/tree",
)
# Class name -> path in the class tree, in the order that counts everywhere: sorted names.
CLASSES: dict[str, str] = dict(sorted((path.rsplit("/", 1)[1], path) for path in _PATHS))


@dataclass(frozen=True)
class Relation:
    """One planted, directed expectation: what happens to ``name`` as crops get stronger."""

    name: str
    partner: str  # empty for helped and control
    kind: Kind
    note: str
    expectation: Expectation


def _pair(kind: Kind, victim: str, swallower: str, note: str) -> tuple[Relation, Relation]:
    return (
        Relation(victim, swallower, kind, note, "hurt"),
        Relation(swallower, victim, kind, note, "swallows"),
    )


RELATIONS: tuple[Relation, ...] = (
    *_pair("ambiguous", "screen", "monitor", "a monitor cropped closely is as large as a screen"),
    *_pair("ambiguous", "gull", "flock", "a cropped flock has as few birds as a gull's picture"),
    *_pair("co-occurring", "bee", "daisy", "cropped closely, the bee of a daisy's picture is near"),
    *_pair("co-occurring", "kite", "tree", "cropped closely, the kite of a tree's picture is near"),
    *_pair("fine-grained", "plum", "cherry", "a cherry cropped closely is as large as a plum"),
    *_pair("fine-grained", "stick", "match", "a match cropped without its head is a stick"),
    *_pair("fine-grained", "trillium", "dogwood", "part of four petals looks like three petals"),
    *_pair("unrelated", "lollipop", "snail", "a snail cropped to its shell is a lollipop's spiral"),
    *(
        Relation(name, "", "helped", "small in training, any size later: crops enlarge", "helped")
        for name in ("fish", "ladybird", "leaf", "scallop", "turtle")
    ),
    *(
        Relation(name, "", "control", "known by any part, same sizes everywhere", "unchanged")
        for name in ("butterfly", "mushroom", "zebra")
    ),
)

_DRAWN_AS = {"flock": "gull", "plum": "cherry", "screen": "monitor"}
_COMPANION = {"bee": "daisy", "daisy": "bee", "kite": "tree", "tree": "kite"}


@dataclass(frozen=True)
class Thing:
    """One object in a picture: the name of its drawing and its pose."""

    drawing: str
    pose: Pose


@dataclass(frozen=True)
class Scene:
    """What a picture shows, back to front, and every label that is right for it."""

    things: tuple[Thing, ...]
    labels: tuple[str, ...]


def compose(name: str, settings: PetriSettings, rng: Generator, *, training: bool) -> Scene:
    """Decide what stands in one picture whose single label is ``name``."""
    if name in ("flock", "gull"):
        return _birds(name, settings, rng)
    if name in _COMPANION:
        return _together(name, settings, rng)
    sizes = settings.sizes | settings.training_sizes if training else settings.sizes
    thing = _thing(name, sizes[name], settings, rng)
    if name in ("monitor", "screen"):
        fitting = [n for n in ("monitor", "screen") if _within(thing.pose.size, sizes[n])]
        return Scene((thing,), tuple(fitting))
    return Scene((thing,), (name,))


def _birds(name: str, settings: PetriSettings, rng: Generator) -> Scene:
    counts = {"flock": settings.flock_count, "gull": settings.gull_count}
    birds = []
    for _ in range(rng.integers(*counts[name], endpoint=True)):
        bird = _thing(name, settings.sizes[name], settings, rng)
        x, y = rng.uniform(0.12, 0.88, 2).tolist()
        birds.append(replace(bird, pose=replace(bird.pose, x=x, y=y)))
    return Scene(tuple(birds), tuple(n for n in counts if _within(len(birds), counts[n])))


def _together(name: str, settings: PetriSettings, rng: Generator) -> Scene:
    """A small thing (bee, kite), its large companion (daisy, tree), or both."""
    small, large = ("bee", "daisy") if name in ("bee", "daisy") else ("kite", "tree")
    both = rng.random() < settings.together[name]
    things = []
    if both or name == large:
        things.append(_thing(large, settings.sizes[large], settings, rng))
    if both or name == small:
        sizes = settings.sizes if name == small else settings.companion_sizes
        thing = _thing(small, sizes[small], settings, rng)
        if both:
            away, angle = rng.uniform(*settings.companion_offsets[small]), rng.uniform(0, math.tau)
            x, y = 0.5 + away * math.cos(angle), 0.5 + away * math.sin(angle)
            thing = replace(thing, pose=replace(thing.pose, x=x, y=y))
        things.append(thing)
    return Scene(tuple(things), (small, large) if both else (name,))


def _thing(name: str, sizes: tuple[float, float], settings: PetriSettings, rng: Generator) -> Thing:
    tilt = settings.tilts[name]
    x, y = rng.uniform(0.5 - settings.offset, 0.5 + settings.offset, 2).tolist()
    pose = Pose(
        x=x,
        y=y,
        size=rng.uniform(*sizes),
        turn=rng.uniform(-tilt, tilt),
        squeeze=rng.uniform(*settings.squeeze),
        slant=rng.uniform(0, 180),
        mirrored=rng.random() < 0.5,
    )
    return Thing(_DRAWN_AS.get(name, name), pose)


def _within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]
