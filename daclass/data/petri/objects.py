"""The drawn objects: one function each, in the object's own coordinates, longer side 1."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from daclass.data.petri.pen import Colour, Pen

Points = NDArray[np.float64]
Drawing = Callable[[Pen, Generator], None]

_DARK: Colour = (28, 24, 22)


def paint(
    rng: Generator,
    hue: tuple[float, float] = (0, 360),
    saturation: tuple[float, float] = (0.25, 0.8),
    value: tuple[float, float] = (0.35, 0.95),
) -> Colour:
    """A random colour from ranges of hue (degrees, may pass 360), saturation and value (0..1)."""
    h, s, v = rng.uniform(*hue) / 360 % 1, rng.uniform(*saturation), rng.uniform(*value)
    r, g, b = colorsys.hsv_to_rgb(h, s, v)
    return round(255 * r), round(255 * g), round(255 * b)


def shade(colour: Colour, factor: float) -> Colour:
    """The colour made darker (factor below 1) or lighter (above 1)."""
    r, g, b = (min(255, round(c * factor)) for c in colour)
    return r, g, b


def _arc(x: float, y: float, rx: float, ry: float, start: float, stop: float, n: int) -> Points:
    t = np.radians(np.linspace(start, stop, n))
    return np.stack([x + rx * np.cos(t), y + ry * np.sin(t)], axis=1)


def _petal(turn: float, length: float, width: float, tip: float = 0.0) -> Points:
    """A petal from the origin outwards; ``tip`` 0 is round, 1 is pointed."""
    t = np.linspace(0, 1, 9)
    half = width / 2 * np.sin(np.pi * t ** (0.75 - 0.25 * tip)) ** (0.6 + 0.7 * tip)
    out = np.concatenate([np.stack([t, half], 1), np.stack([t, -half], 1)[::-1]])
    out[:, 0] *= length
    a = np.radians(turn)
    return out @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])


def monitor(pen: Pen, rng: Generator) -> None:
    frame = paint(rng, saturation=(0, 0.2), value=(0.05, 0.35))
    glow = paint(rng, (170, 260), (0.1, 0.6), (0.6, 1))
    pen.polygon([(-0.05, 0.2), (0.05, 0.2), (0.07, 0.4), (-0.07, 0.4)], shade(frame, 0.7))
    pen.ellipse(0, 0.4, 0.2, 0.04, shade(frame, 0.85))
    pen.polygon([(-0.5, -0.36), (0.5, -0.36), (0.5, 0.28), (-0.5, 0.28)], frame)
    pen.polygon([(-0.45, -0.31), (0.45, -0.31), (0.45, 0.22), (-0.45, 0.22)], glow)
    for _ in range(rng.integers(1, 4)):
        x, y = rng.uniform(-0.43, 0.05), rng.uniform(-0.29, -0.05)
        w, h = rng.uniform(0.12, 0.38), rng.uniform(0.08, 0.25)
        box = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
        pen.polygon(box, paint(rng, saturation=(0, 0.6), value=(0.4, 1)))
    for k in range(rng.integers(2, 5)):
        y = -0.26 + 0.09 * k
        x = rng.uniform(-0.4, 0.0)
        pen.line([(x, y), (x + rng.uniform(0.15, 0.4), y)], 0.025, shade(glow, 0.45))


def gull(pen: Pen, rng: Generator) -> None:
    body = paint(rng, saturation=(0, 0.06), value=(0.85, 1))
    wing = shade(body, rng.uniform(0.6, 0.9))
    lift = rng.uniform(-0.22, 0.25)
    for side in (-1, 1):
        points = [(0, -0.07), (side * 0.25, -0.08 - lift), (side * 0.5, 0.02 - 0.6 * lift)]
        pen.polygon([*points, (side * 0.24, 0.03 - lift * 0.8), (0, 0.09)], wing)
        tip = [points[2], (side * 0.37, -0.04 - lift * 0.8), (side * 0.36, 0.04 - lift * 0.7)]
        pen.polygon(tip, _DARK)
    pen.polygon([(-0.03, 0.1), (0.03, 0.1), (0.07, 0.27), (-0.07, 0.27)], shade(body, 0.85))
    pen.ellipse(0, 0.02, 0.07, 0.18, body)
    pen.ellipse(0, -0.17, 0.055, 0.06, body)
    pen.polygon([(-0.02, -0.2), (0.02, -0.2), (0, -0.28)], (230, 150, 40))


def kite(pen: Pen, rng: Generator) -> None:
    one = paint(rng, saturation=(0.75, 1), value=(0.7, 1))
    two = paint(rng, saturation=(0.75, 1), value=(0.7, 1))
    top, right, low, left = (0, -0.5), (0.27, -0.2), (0, 0.22), (-0.27, -0.2)
    tail = np.stack([0.06 * np.sin(np.linspace(0, 7, 8)), np.linspace(0.22, 0.5, 8)], 1)
    pen.line(tail, 0.03, shade(two, 0.8))
    for x, y in tail[2::2]:
        pen.ellipse(x, y, 0.06, 0.03, two)
    pen.polygon([top, right, low, left], one)
    pen.polygon([top, right, (0, -0.2)], two)
    pen.polygon([low, left, (0, -0.2)], two)
    pen.line([top, low], 0.02, shade(one, 0.5))
    pen.line([left, right], 0.02, shade(one, 0.5))


def tree(pen: Pen, rng: Generator) -> None:
    bark = paint(rng, (15, 40), (0.2, 0.6), (0.2, 0.5))
    green = paint(rng, (70, 140), (0.3, 0.7), (0.25, 0.55))
    pen.polygon([(-0.05, 0), (0.05, 0), (0.09, 0.5), (-0.09, 0.5)], bark)
    for side in (-1, 1):
        pen.line([(0, 0.2), (side * 0.2, -0.05)], 0.04, bark)
    for _ in range(22):
        a, r = rng.uniform(0, 2 * np.pi), 0.3 * np.sqrt(rng.uniform())
        size = rng.uniform(0.07, 0.14)
        tone = shade(green, rng.uniform(0.55, 1.3))
        pen.ellipse(r * np.cos(a) * 1.1, -0.18 + r * np.sin(a) * 0.85, size, size * 0.8, tone)


def bee(pen: Pen, rng: Generator) -> None:
    gold = paint(rng, (32, 52), (0.7, 1), (0.6, 0.95))
    for side in (-1, 1):
        wing = paint(rng, saturation=(0, 0.15), value=(0.75, 1))
        pen.ellipse(-0.05, side * 0.27, 0.12, 0.24, wing, side * -20)
    pen.ellipse(-0.18, 0, 0.32, 0.17, gold)
    for x in (-0.36, -0.22, -0.08):
        half = 0.17 * math.sqrt(1 - ((x + 0.18) / 0.32) ** 2)
        pen.line([(x, -half), (x, half)], 0.07, _DARK)
    pen.ellipse(0.16, 0, 0.14, 0.15, shade(gold, 0.6))
    pen.ellipse(0.36, 0, 0.11, 0.12, _DARK)
    for side in (-1, 1):
        pen.line([(0.42, side * 0.05), (0.5, side * 0.14)], 0.03, _DARK)


def daisy(pen: Pen, rng: Generator) -> None:
    petals = paint(rng, (0, 360), (0, 0.4), (0.75, 1))
    n = int(rng.integers(11, 17))
    start = rng.uniform(0, 360)
    for k in range(n):
        tone = shade(petals, rng.uniform(0.8, 1.05))
        pen.polygon(_petal(start + 360 * k / n + rng.normal(0, 3), 0.5, 0.15), tone)
    heart = paint(rng, (35, 55), (0.7, 1), (0.6, 0.95))
    pen.ellipse(0, 0, 0.15, 0.15, shade(heart, 0.75))
    pen.ellipse(-0.01, -0.01, 0.11, 0.11, heart)


def cherry(pen: Pen, rng: Generator) -> None:
    skin = paint(rng, (310, 375), (0.5, 0.95), (0.3, 0.75))
    stem = paint(rng, (60, 110), (0.3, 0.7), (0.3, 0.6))
    bend = rng.uniform(-0.15, 0.15)
    pen.line([(0, -0.2), (bend / 2, -0.35), (bend, -0.5)], 0.035, stem)
    leaf = _petal(-30 if bend < 0 else 210, 0.28, 0.13, 1) + np.array([bend / 2, -0.36])
    pen.polygon(leaf, shade(stem, 1.3))
    pen.ellipse(0, 0.14, 0.37, 0.36, skin)
    pen.line(_arc(-0.02, 0.14, 0.1, 0.34, -90, 60, 8), 0.02, shade(skin, 0.75))
    pen.ellipse(-0.14, 0.0, 0.08, 0.06, shade(skin, 1.7), -30)


def _rod(pen: Pen, rng: Generator) -> None:
    wood = paint(rng, (25, 45), (0.25, 0.6), (0.6, 0.95))
    pen.polygon([(-0.5, -0.065), (0.45, -0.065), (0.45, 0.065), (-0.5, 0.065)], wood)
    pen.polygon([(-0.5, 0.02), (0.45, 0.02), (0.45, 0.065), (-0.5, 0.065)], shade(wood, 0.75))


def stick(pen: Pen, rng: Generator) -> None:
    _rod(pen, rng)


def match(pen: Pen, rng: Generator) -> None:
    _rod(pen, rng)
    pen.ellipse(0.4, 0, 0.13, 0.1, paint(rng, (-20, 20), (0.6, 0.95), (0.4, 0.85)))


def _blossom(pen: Pen, rng: Generator, petals: int) -> None:
    white = paint(rng, (290, 420), (0, 0.35), (0.75, 1))
    green = paint(rng, (80, 130), (0.3, 0.7), (0.3, 0.6))
    for k in range(petals):
        turn = 360 * k / petals - 90
        pen.polygon(_petal(turn + 180 / petals, 0.36, 0.12, 1), green)
    for k in range(petals):
        turn = 360 * k / petals - 90 + rng.normal(0, 4)
        pen.polygon(_petal(turn, 0.5, 0.3, 0.5), shade(white, rng.uniform(0.85, 1)))
        pen.line([(0, 0), tuple(_petal(turn, 0.4, 0.3)[8])], 0.015, shade(white, 0.75))
    pen.ellipse(0, 0, 0.09, 0.09, paint(rng, (45, 80), (0.5, 0.9), (0.5, 0.9)))


def trillium(pen: Pen, rng: Generator) -> None:
    _blossom(pen, rng, 3)


def dogwood(pen: Pen, rng: Generator) -> None:
    _blossom(pen, rng, 4)


def _spiral(pen: Pen, rng: Generator, x: float, y: float, radius: float) -> None:
    one = paint(rng, saturation=(0.05, 0.3), value=(0.8, 1))
    two = paint(rng, saturation=(0.6, 0.95), value=(0.4, 0.9))
    pen.ellipse(x, y, radius, radius, one)
    t = np.linspace(0, 2.6 * 2 * np.pi, 44)
    r = radius * 0.93 * (1 - t / t[-1] * 0.95)
    way = t + rng.uniform(0, 2 * np.pi)
    pen.line(np.stack([x + r * np.cos(way), y + r * np.sin(way)], 1), radius * 0.2, two)


def snail(pen: Pen, rng: Generator) -> None:
    skin = paint(rng, (20, 60), (0.15, 0.5), (0.35, 0.75))
    body = [(-0.5, 0.4), (-0.3, 0.2), (0.2, 0.2), (0.26, 0.0), (0.38, -0.06), (0.5, 0.04)]
    pen.polygon([*body, (0.46, 0.26), (0.3, 0.42)], skin)
    for x in (0.32, 0.46):
        pen.line([(0.4, 0.0), (x, -0.2)], 0.035, skin)
        pen.ellipse(x, -0.21, 0.035, 0.035, _DARK)
    _spiral(pen, rng, -0.07, 0.02, 0.31)


def lollipop(pen: Pen, rng: Generator) -> None:
    pen.line([(0, 0), (0, 0.5)], 0.07, paint(rng, (30, 60), (0, 0.2), (0.7, 1)))
    _spiral(pen, rng, 0, -0.17, 0.31)


def fish(pen: Pen, rng: Generator) -> None:
    skin = paint(rng, (180, 290), (0.55, 1), (0.6, 0.95))
    fin = shade(skin, rng.uniform(0.55, 0.85))
    pen.polygon([(-0.22, 0), (-0.5, -0.2), (-0.43, 0), (-0.5, 0.2)], fin)
    pen.polygon([(-0.12, -0.15), (0.08, -0.3), (0.2, -0.13)], fin)
    pen.polygon([(0.0, 0.15), (-0.08, 0.28), (0.14, 0.13)], fin)
    pen.ellipse(0.1, 0, 0.38, 0.2, skin)
    for x in (-0.18, 0.02, 0.24):
        half = 0.19 * math.sqrt(1 - ((x - 0.1) / 0.38) ** 2)
        band = _arc(x - 0.03, 0, 0.04, half, -90, 90, 7)
        pen.line(band, 0.1, _DARK)
        pen.line(band, 0.06, (240, 238, 228))
    pen.ellipse(0.38, -0.04, 0.035, 0.035, (240, 240, 235))
    pen.ellipse(0.385, -0.04, 0.02, 0.02, _DARK)


def leaf(pen: Pen, rng: Generator) -> None:
    blade = paint(rng, (60, 130), (0.5, 0.9), (0.6, 0.95))
    vein = shade(blade, rng.choice([0.5, 1.6]))
    width = rng.uniform(0.3, 0.55)
    outline = _petal(0, 0.85, width, 1) - (0.35, 0)
    pen.line([(-0.5, 0.03), (-0.33, 0)], 0.03, vein)
    pen.polygon(outline, blade)
    pen.line([(-0.34, 0), (0.44, 0)], 0.024, vein)
    for x in np.arange(-0.28, 0.36, 0.08):
        half = 0.4 * width * np.sin(np.pi * np.clip((x + 0.4) / 0.85, 0, 1))
        for side in (-1, 1):
            pen.line([(x, 0), (x + 0.1, side * half)], 0.022, vein)


def butterfly(pen: Pen, rng: Generator) -> None:
    wing, spot = paint(rng, saturation=(0.4, 1)), paint(rng)
    edge = shade(wing, 0.35)
    fold = rng.uniform(0.6, 1)
    for side in (-1, 1):
        for x, y, rx, ry, turn in ((0.25, -0.18, 0.25, 0.19, -28), (0.2, 0.17, 0.19, 0.16, 30)):
            pen.ellipse(side * x * fold, y, rx * fold, ry, edge, side * turn)
            pen.ellipse(side * x * fold, y, rx * fold * 0.8, ry * 0.78, wing, side * turn)
            pen.ellipse(side * x * 1.15 * fold, y * 1.05, 0.07 * fold, 0.065, edge)
            pen.ellipse(side * x * 1.15 * fold, y * 1.05, 0.04 * fold, 0.04, spot)
    pen.ellipse(0, 0, 0.035, 0.28, _DARK)
    for side in (-1, 1):
        pen.line([(0, -0.25), (side * 0.1, -0.43)], 0.015, _DARK)


def scallop(pen: Pen, rng: Generator) -> None:
    one = paint(rng, (-60, 25), (0.15, 0.6), (0.6, 1))
    two = shade(one, rng.uniform(0.55, 0.75))
    pen.polygon([(-0.17, 0.42), (0.17, 0.42), (0.13, 0.26), (-0.13, 0.26)], two)
    edges = np.linspace(-205, 25, 12)
    for k, (a, b) in enumerate(pairwise(edges)):
        fan = _arc(0, -0.03, 0.47, 0.43, a, b, 4)
        pen.polygon([(0, 0.4), *map(tuple, fan)], one if k % 2 else two)
    for r in (0.35, 0.65):
        bow = _arc(0, 0.4 - 0.43 * r, 0.47 * r, 0.43 * r, -205, 25, 14)
        pen.line(bow, 0.014, shade(two, 0.7))


def ladybird(pen: Pen, rng: Generator) -> None:
    shell = paint(rng, (-10, 50), (0.75, 1), (0.6, 0.95))
    for x in (-0.2, 0.0, 0.18):
        for side in (-1, 1):
            pen.line([(x, side * 0.3), (x + rng.normal(0, 0.04), side * 0.44)], 0.035, _DARK)
    for side in (-1, 1):
        pen.line([(0.4, side * 0.06), (0.5, side * 0.14)], 0.025, _DARK)
    pen.ellipse(0.33, 0, 0.13, 0.17, _DARK)
    for side in (-1, 1):
        pen.ellipse(0.36, side * 0.09, 0.04, 0.03, (235, 230, 215))
    pen.ellipse(-0.06, 0, 0.4, 0.36, shell)
    pen.line([(-0.46, 0), (0.34, 0)], 0.022, _DARK)
    for x, y in ((-0.28, 0.12), (-0.1, 0.24), (-0.04, 0.09), (0.12, 0.18), (0.22, 0.07)):
        for side in (-1, 1):
            spot = rng.uniform(0.04, 0.06)
            pen.ellipse(x + rng.normal(0, 0.012), side * y, spot, spot, _DARK)


def turtle(pen: Pen, rng: Generator) -> None:
    skin = paint(rng, (40, 160), (0.2, 0.6), (0.35, 0.8))
    shell = paint(rng, (15, 60), (0.4, 0.8), (0.3, 0.75))
    for fx in (-0.22, 0.2):
        for side in (-1, 1):
            pen.ellipse(fx, side * 0.27, 0.14, 0.06, skin, side * rng.uniform(20, 80))
    pen.polygon([(-0.3, -0.04), (-0.48, 0), (-0.3, 0.04)], skin)
    pen.ellipse(0.4, 0, 0.1, 0.075, skin)
    pen.ellipse(0, 0, 0.35, 0.28, shade(shell, 0.55))
    rows = ((-0.2, -0.1), (-0.2, 0.1), (-0.02, 0), (0.0, -0.19), (0.0, 0.19), (0.17, -0.1))
    for x, y in (*rows, (0.17, 0.1), (-0.28, 0), (0.28, 0)):
        tone = shade(shell, rng.uniform(0.9, 1.3))
        pen.polygon(_arc(x, y, 0.085, 0.08, 0, 300, 6), tone)
    for side in (-1, 1):
        pen.ellipse(0.44, side * 0.045, 0.016, 0.016, _DARK)


def zebra(pen: Pen, rng: Generator) -> None:
    white = paint(rng, (20, 50), (0, 0.2), (0.75, 1))
    black = shade(white, rng.uniform(0.08, 0.25))
    for x in (-0.27, -0.17, 0.13, 0.22):
        foot = x + rng.uniform(-0.07, 0.07)
        pen.line([(x, 0.05), (foot, 0.45)], 0.06, white)
        for y in (0.2, 0.28, 0.36):
            at = x + (foot - x) * (y - 0.05) / 0.4
            pen.line([(at - 0.03, y), (at + 0.03, y)], 0.028, black)
    pen.polygon([(0.15, -0.08), (0.33, -0.38), (0.45, -0.3), (0.28, 0.08)], white)
    pen.ellipse(0.41, -0.3, 0.12, 0.065, white, 35)
    pen.ellipse(-0.02, 0.02, 0.31, 0.16, white)
    pen.line([(-0.3, -0.05), (-0.4, 0.2)], 0.03, black)
    for x in np.arange(-0.27, 0.26, 0.075):
        half = 0.155 * math.sqrt(max(0.05, 1 - ((x + 0.02) / 0.31) ** 2))
        lean = rng.normal(0.02, 0.015)
        pen.line([(x - lean, 0.02 - half), (x + lean, 0.02 + half)], 0.034, black)
    for k in range(4):
        x, y = 0.19 + 0.045 * k, -0.08 - 0.07 * k
        pen.line([(x, y), (x + 0.11, y + 0.07)], 0.026, black)
    pen.ellipse(0.48, -0.25, 0.045, 0.04, black)
    pen.ellipse(0.4, -0.33, 0.018, 0.018, _DARK)
    pen.polygon([(0.3, -0.36), (0.32, -0.48), (0.38, -0.37)], white)


def mushroom(pen: Pen, rng: Generator) -> None:
    cap = paint(rng, (-15, 45), (0.3, 0.95), (0.4, 0.9))
    stalk = paint(rng, (30, 60), (0.05, 0.25), (0.7, 1))
    pen.polygon([(-0.1, -0.05), (0.1, -0.05), (0.14, 0.48), (-0.14, 0.48)], stalk)
    pen.polygon([(-0.17, 0.1), (0.17, 0.1), (0.12, 0.02), (-0.12, 0.02)], shade(stalk, 0.8))
    pen.polygon([*map(tuple, _arc(0, 0, 0.46, 0.46, 180, 360, 16))], cap)
    pen.ellipse(0, 0, 0.46, 0.07, shade(cap, 0.7))
    for x, y in ((-0.25, -0.13), (0, -0.3), (0.22, -0.17), (-0.03, -0.1), (0.36, -0.06)):
        pen.ellipse(x + rng.normal(0, 0.02), y, rng.uniform(0.035, 0.065), 0.04, (245, 240, 225))


OBJECTS: dict[str, Drawing] = {
    draw.__name__: draw
    for draw in (
        bee,
        butterfly,
        cherry,
        daisy,
        dogwood,
        fish,
        gull,
        kite,
        ladybird,
        leaf,
        lollipop,
        match,
        monitor,
        mushroom,
        scallop,
        snail,
        stick,
        tree,
        trillium,
        turtle,
        zebra,
    )
}
