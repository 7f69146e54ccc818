"""From a scene to a small photograph: background, clutter, light, shadow, blur, noise."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from daclass.config.petri import PetriSettings
from daclass.data.petri.objects import OBJECTS, paint, shade
from daclass.data.petri.pen import Pen, Pose
from daclass.data.petri.planted import Scene

Plane = NDArray[np.floating]  # float32 throughout, a share of full light


def photograph(scene: Scene, settings: PetriSettings, rng: Generator) -> NDArray[np.uint8]:
    """Render the scene, (side, side, 3) uint8: backdrop, clutter, things, occluder, camera."""
    side = settings.picture_size
    angle = rng.uniform(0, 2 * np.pi)
    sun = (float(np.cos(angle)), float(np.sin(angle)))
    picture = _backdrop(side, rng)
    picture = _put(picture, _clutter(settings, rng), sun, rng)
    picture = _smoothed(picture, _blur(side, rng.uniform(*settings.blur)))
    pen = Pen(side, settings.supersampling)
    for thing in scene.things:
        pen.place(thing.pose)
        OBJECTS[thing.drawing](pen, rng)
    picture = _put(picture, pen.layer(), sun, rng)
    if rng.random() < settings.occluder_share:
        picture = _put(picture, _occluder(settings, rng), sun, rng)
    return _exposed(picture, sun, settings, rng)


@lru_cache
def _spread(cells: int, side: int) -> Plane:
    """Bicubic enlargement as a matrix, (side, cells)."""
    unit = Image.fromarray(np.eye(cells, dtype=np.float32))
    return np.asarray(unit.resize((cells, side), Image.Resampling.BICUBIC))


def _field(side: int, cells: tuple[int, int], rng: Generator) -> Plane:
    """Smooth noise with ``cells`` (across, down) random knots, deviation about 1."""
    knots = rng.standard_normal((cells[1], cells[0]), dtype=np.float32)
    field: Plane = _spread(cells[1], side) @ knots @ _spread(cells[0], side).T
    return field


def _cloud(side: int, rng: Generator) -> Plane:
    """Noise over four scales, in 0..1."""
    total = np.zeros((side, side), dtype=np.float32)
    for cells in (3, 6, 12, 24):
        total += rng.uniform(0.3, 1.6) * _field(side, (cells, cells), rng)
    cloud: Plane = 1 / (1 + np.exp(-total))
    return cloud


def _colour(rng: Generator) -> Plane:
    return np.array(paint(rng, saturation=(0.05, 0.5), value=(0.15, 0.85)), np.float32) / 255


def _surface(side: int, rng: Generator) -> Plane:
    """A mottled, possibly grained stretch of ground or wall, (side, side, 3)."""
    one = _colour(rng)
    two = (one + _colour(rng)) / 2
    mix = _cloud(side, rng)[..., None]
    ground = one * mix + two * (1 - mix)
    if rng.random() < 0.5:
        cells = [(side // 2, 5), (5, side // 2), (side // 2, side // 2)][rng.integers(3)]
        ground = ground * (1 + 0.16 * _field(side, cells, rng)[..., None])
    return ground


def _backdrop(side: int, rng: Generator) -> Plane:
    """One surface, or two that meet at a slanted edge, such as land and sky."""
    ground = _surface(side, rng)
    if rng.random() < 0.5:
        return ground
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    edge = y - rng.uniform(0.25, 0.75) - rng.normal(0, 0.3) * (x - 0.5)
    edge = edge + rng.uniform(0, 0.06) * _field(side, (8, 8), rng)
    share = np.clip(0.5 + edge * rng.uniform(8, side), 0, 1)[..., None]
    return ground * share + _surface(side, rng) * (1 - share)


def _clutter(settings: PetriSettings, rng: Generator) -> Plane:
    """Stones, blades, boards and scraps, strewn over the whole picture."""
    pen = Pen(settings.picture_size, settings.supersampling)
    for _ in range(rng.integers(*settings.clutter, endpoint=True)):
        x, y = rng.uniform(0, 1, 2)
        size, turn = rng.uniform(*settings.clutter_sizes), rng.uniform(0, 360)
        pen.place(Pose(float(x), float(y), float(size), float(turn)))
        _scrap(pen, rng)
    return pen.layer()


def _scrap(pen: Pen, rng: Generator) -> None:
    tone = paint(rng, saturation=(0.05, 0.55), value=(0.2, 0.85))
    match rng.integers(4):
        case 0:
            pen.ellipse(0, 0, 0.5, rng.uniform(0.2, 0.5), tone)
        case 1:
            bend = rng.uniform(-0.3, 0.3)
            pen.line([(-0.8, 0), (0, bend), (0.8, 0)], rng.uniform(0.06, 0.16), tone)
        case 2:
            t = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 7)))
            pen.polygon(0.5 * np.stack([np.cos(t), np.sin(t)], 1), tone)
        case _:
            h = rng.uniform(0.1, 0.5)
            pen.polygon([(-0.5, -h), (0.5, -h), (0.5, h), (-0.5, h)], tone)
            pen.line([(-0.5, 0), (0.5, 0)], 0.1, shade(tone, rng.uniform(0.5, 1.5)))


def _occluder(settings: PetriSettings, rng: Generator) -> Plane:
    """A blade, branch or stone near the camera."""
    pen = Pen(settings.picture_size, settings.supersampling)
    x, y = rng.uniform(0.1, 0.9, 2)
    tone = paint(rng, saturation=(0.05, 0.7), value=(0.15, 0.8))
    pen.place(Pose(float(x), float(y), 1.0, float(rng.uniform(0, 360))))
    if rng.random() < 0.5:
        bend = rng.uniform(-0.2, 0.2, 2)
        points = [(-0.8, bend[0]), (0.0, 0.0), (0.8, bend[1])]
        pen.line(points, rng.uniform(0.04, 0.12), tone)
    else:
        pen.ellipse(0, 0, rng.uniform(0.1, 0.25), rng.uniform(0.06, 0.15), tone)
    return pen.layer()


def _blur(side: int, radius: float) -> Plane:
    """Gaussian blur by ``radius`` pixels as a matrix, (side, side); edges are extended."""
    x = np.arange(side, dtype=np.float32)
    weights = np.exp(-0.5 * ((x[:, None] - x) / max(radius, 0.1)) ** 2)
    return np.asarray(weights / weights.sum(1, keepdims=True), dtype=np.float32)


def _smoothed(picture: Plane, blur: Plane) -> Plane:
    """Blur each channel of (side, side, 3), down and across."""
    return np.matmul(blur, np.matmul(blur, picture).swapaxes(0, 1)).swapaxes(0, 1)


@lru_cache
def _rounding(side: int) -> tuple[Plane, Plane]:
    """The blur that turns an outline into a rounded height, and its slope, as matrices."""
    blur = _blur(side, side / 20)
    return blur, np.gradient(blur, axis=0)


def _put(picture: Plane, layer: Plane, sun: tuple[float, float], rng: Generator) -> Plane:
    """Lay a drawn layer on the picture: rounded by light, mottled, with its shadow."""
    side = picture.shape[0]
    alpha = layer[..., 3]
    blur, slope = _rounding(side)
    height, down, across = blur @ alpha @ blur.T, slope @ alpha @ blur.T, blur @ alpha @ slope.T
    relief = rng.uniform(1.5, 4.5) * side / 48
    light = 1 - relief * (across * sun[0] + down * sun[1]) + 0.25 * (height - 0.6)
    light = light * (1 + rng.uniform(0.02, 0.12) * _field(side, (side // 3, side // 3), rng))
    steps = np.arange(side)
    rows = np.clip(steps + round(sun[1] * side / 20), 0, side - 1)
    columns = np.clip(steps + round(sun[0] * side / 20), 0, side - 1)
    shadow = 1 - rng.uniform(0.2, 0.6) * height[np.ix_(rows, columns)] * (1 - alpha)
    ground = picture * shadow[..., None]
    return ground * (1 - alpha[..., None]) + layer[..., :3] * light[..., None]


def _exposed(
    picture: Plane, sun: tuple[float, float], settings: PetriSettings, rng: Generator
) -> NDArray[np.uint8]:
    """Uneven light, exposure, colour cast and sensor noise."""
    side = picture.shape[0]
    ramp = np.linspace(-0.5, 0.5, side, dtype=np.float32)
    uneven = 1 + rng.uniform(0, 0.5) * (ramp[None, :] * sun[0] + ramp[:, None] * sun[1])
    cast = rng.uniform(*settings.light) * (1 + settings.colour_cast * rng.standard_normal(3))
    exposed = picture * uneven[..., None] * cast.astype(np.float32)
    noise = rng.standard_normal(picture.shape, dtype=np.float32)
    exposed = exposed + np.float32(rng.uniform(*settings.noise)) * noise
    return (255 * np.clip(exposed, 0, 1)).astype(np.uint8)
