"""The drawn objects: one function each, in the object's own coordinates, longer side 1."""

from __future__ import annotations

import colorsys
from collections.abc import Callable

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
    body = paint(rng, saturation=(0, 0.15), value=(0.7, 1))
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
    green = paint(rng, (50, 140), (0.3, 0.8), (0.3, 0.75))
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
        half = 0.17 * np.sqrt(1 - ((x + 0.18) / 0.32) ** 2)
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
    leaf = _petal(-30 if bend < 0 else 210, 0.28, 0.13, 1) + (bend / 2, -0.36)
    pen.polygon(leaf, shade(stem, 1.3))
    pen.ellipse(0, 0.14, 0.37, 0.36, skin)
    pen.line(_arc(-0.02, 0.14, 0.1, 0.34, -90, 60, 8), 0.02, shade(skin, 0.75))
    pen.ellipse(-0.14, 0.0, 0.08, 0.06, shade(skin, 1.7), -30)


def _rod(pen: Pen, rng: Generator) -> Colour:
    wood = paint(rng, (25, 45), (0.2, 0.55), (0.55, 0.9))
    pen.polygon([(-0.5, -0.055), (0.45, -0.055), (0.45, 0.055), (-0.5, 0.055)], wood)
    pen.polygon([(-0.5, 0.015), (0.45, 0.015), (0.45, 0.055), (-0.5, 0.055)], shade(wood, 0.75))
    return wood


def stick(pen: Pen, rng: Generator) -> None:
    _rod(pen, rng)


def match(pen: Pen, rng: Generator) -> None:
    _rod(pen, rng)
    pen.ellipse(0.41, 0, 0.12, 0.09, paint(rng, (-20, 20), (0.5, 0.95), (0.3, 0.8)))


def _blossom(pen: Pen, rng: Generator, petals: int) -> None:
    white = paint(rng, (290, 420), (0, 0.35), (0.75, 1))
    green = paint(rng, (80, 130), (0.3, 0.7), (0.3, 0.6))
    start = rng.uniform(0, 360)
    for k in range(petals):
        turn = start + 360 * k / petals
        pen.polygon(_petal(turn + 180 / petals, 0.36, 0.12, 1), green)
    for k in range(petals):
        turn = start + 360 * k / petals + rng.normal(0, 4)
        pen.polygon(_petal(turn, 0.5, 0.34, 0.5), shade(white, rng.uniform(0.85, 1)))
        pen.line([(0, 0), tuple(_petal(turn, 0.4, 0.3)[8])], 0.015, shade(white, 0.75))
    pen.ellipse(0, 0, 0.09, 0.09, paint(rng, (45, 80), (0.5, 0.9), (0.5, 0.9)))


def trillium(pen: Pen, rng: Generator) -> None:
    _blossom(pen, rng, 3)


def dogwood(pen: Pen, rng: Generator) -> None:
    _blossom(pen, rng, 4)


def _spiral(pen: Pen, rng: Generator, x: float, y: float, radius: float) -> None:
    one = paint(rng, saturation=(0.2, 0.8), value=(0.5, 0.95))
    two = paint(rng, saturation=(0.1, 0.6), value=(0.3, 0.95))
    pen.ellipse(x, y, radius, radius, one)
    t = np.linspace(0, 2.6 * 2 * np.pi, 44)
    r = radius * 0.93 * (1 - t / t[-1] * 0.95)
    way = t + rng.uniform(0, 2 * np.pi)
    pen.line(np.stack([x + r * np.cos(way), y + r * np.sin(way)], 1), radius * 0.17, two)


def snail(pen: Pen, rng: Generator) -> None:
    skin = paint(rng, (20, 60), (0.15, 0.5), (0.35, 0.75))
    body = [(-0.5, 0.4), (-0.3, 0.27), (0.22, 0.25), (0.3, 0.05), (0.42, 0.0), (0.48, 0.1)]
    pen.polygon([*body, (0.42, 0.3), (0.25, 0.42)], skin)
    for x in (0.36, 0.46):
        pen.line([(0.41, 0.03), (x, -0.13)], 0.025, skin)
        pen.ellipse(x, -0.14, 0.025, 0.025, _DARK)
    _spiral(pen, rng, -0.07, 0.02, 0.31)


def lollipop(pen: Pen, rng: Generator) -> None:
    pen.line([(0, 0), (0, 0.5)], 0.045, paint(rng, (30, 60), (0, 0.2), (0.7, 1)))
    _spiral(pen, rng, 0, -0.17, 0.31)


def fish(pen: Pen, rng: Generator) -> None:
    skin = paint(rng, (170, 260) if rng.random() < 0.6 else (5, 40), (0.3, 0.8), (0.5, 0.95))
    fin = shade(skin, rng.uniform(0.55, 0.8))
    pen.polygon([(-0.22, 0), (-0.5, -0.2), (-0.43, 0), (-0.5, 0.2)], fin)
    pen.polygon([(-0.12, -0.15), (0.08, -0.3), (0.2, -0.13)], fin)
    pen.polygon([(0.0, 0.15), (-0.08, 0.28), (0.14, 0.13)], fin)
    pen.ellipse(0.1, 0, 0.38, 0.2, skin)
    dark = shade(skin, 0.72)
    for i, x in enumerate(np.arange(-0.18, 0.25, 0.085)):
        for y in np.arange(-0.14, 0.15, 0.07) + 0.035 * (i % 2):
            if (x - 0.1) ** 2 / 0.13 + y**2 / 0.032 < 1:
                pen.line(_arc(x, y, 0.045, 0.04, 90, 270, 5), 0.018, dark)
    pen.line(_arc(0.2, 0, 0.08, 0.16, -70, 70, 7), 0.02, shade(skin, 0.5))
    pen.ellipse(0.37, -0.05, 0.04, 0.04, (240, 240, 235))
    pen.ellipse(0.375, -0.05, 0.022, 0.022, _DARK)


def leaf(pen: Pen, rng: Generator) -> None:
    blade = paint(rng, (50, 130), (0.4, 0.85), (0.35, 0.85))
    vein = shade(blade, rng.choice([0.6, 1.45]))
    width = rng.uniform(0.3, 0.55)
    outline = _petal(0, 0.85, width, 1) - (0.35, 0)
    pen.line([(-0.5, 0.03), (-0.33, 0)], 0.03, vein)
    pen.polygon(outline, blade)
    pen.line([(-0.34, 0), (0.44, 0)], 0.024, vein)
    for x in np.arange(-0.25, 0.35, 0.1):
        half = 0.36 * width * np.sin(np.pi * np.clip((x + 0.4) / 0.85, 0, 1))
        for side in (-1, 1):
            pen.line([(x, 0), (x + 0.1, side * half)], 0.015, vein)


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
    one = paint(rng, (-20, 50), (0.15, 0.7), (0.55, 1))
    two = shade(one, rng.uniform(0.55, 0.75))
    pen.polygon([(-0.17, 0.42), (0.17, 0.42), (0.13, 0.26), (-0.13, 0.26)], two)
    edges = np.linspace(-205, 25, 12)
    for k, (a, b) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        fan = _arc(0, -0.03, 0.47, 0.43, a, b, 4)
        pen.polygon([(0, 0.4), *map(tuple, fan)], one if k % 2 else two)
    for r in (0.35, 0.65):
        bow = _arc(0, 0.4 - 0.43 * r, 0.47 * r, 0.43 * r, -205, 25, 14)
        pen.line(bow, 0.014, shade(two, 0.7))


def crab(pen: Pen, rng: Generator) -> None:
    shell = paint(rng, (-15, 45), (0.5, 0.95), (0.4, 0.95))
    dark = shade(shell, 0.65)
    for side in (-1, 1):
        for k in range(4):
            y = 0.02 + 0.09 * k
            knee = (side * (0.4 - 0.03 * k), y + 0.02 + rng.normal(0, 0.02))
            foot = (side * (0.47 - 0.06 * k), y + 0.15)
            pen.line([(side * 0.15, y), knee, foot], 0.04, dark)
        claw = (side * 0.36, -0.26 + rng.normal(0, 0.03))
        pen.line([(side * 0.18, -0.05), (side * 0.36, -0.1), claw], 0.06, dark)
        pen.ellipse(*claw, 0.1, 0.12, shell, side * 20)
        notch = [(claw[0] - 0.03, claw[1] - 0.13), (claw[0] + 0.03, claw[1] - 0.13), claw]
        pen.polygon(notch, shade(dark, 0.5))
    pen.ellipse(0, 0.06, 0.28, 0.2, shell)
    for _ in range(7):
        x, y = rng.uniform(-0.18, 0.18), rng.uniform(-0.03, 0.17)
        pen.ellipse(x, y, 0.025, 0.02, dark)
    for side in (-1, 1):
        pen.line([(side * 0.07, -0.1), (side * 0.08, -0.2)], 0.025, dark)
        pen.ellipse(side * 0.08, -0.2, 0.03, 0.03, _DARK)


def lizard(pen: Pen, rng: Generator) -> None:
    skin = paint(rng, (20, 160), (0.3, 0.9), (0.35, 0.9))
    mark = shade(skin, rng.choice([0.5, 1.5]))
    t = np.linspace(0, 1, 14)
    bend = rng.uniform(-0.15, 0.15)
    y = bend * np.sin(2 * np.pi * t)
    x = t - 0.5
    half = 0.075 * np.clip(np.sin(np.pi * np.clip(t * 0.95 + 0.1, 0, 1)), 0.12, 1)
    half = np.where(t < 0.45, half * (0.2 + t * 1.6), half)
    for at, swing in ((6, 0.08), (10, 0.06)):
        for side in (-1, 1):
            hip = (x[at], y[at])
            knee = (x[at] + swing * rng.uniform(-1, 1), y[at] + side * 0.13)
            pen.line([hip, knee, (knee[0] + 0.07, knee[1] + side * 0.07)], 0.035, skin)
    top, low = np.stack([x, y - half], 1), np.stack([x, y + half], 1)[::-1]
    pen.polygon(np.concatenate([top, low]), skin)
    pen.ellipse(x[-1] - 0.04, y[-1], 0.09, 0.06, skin)
    for k in range(3, 12):
        pen.line([(x[k], y[k] - half[k] * 0.8), (x[k], y[k] + half[k] * 0.8)], 0.022, mark)
    for side in (-1, 1):
        pen.ellipse(x[-1] - 0.03, y[-1] + side * 0.045, 0.014, 0.014, _DARK)


def turtle(pen: Pen, rng: Generator) -> None:
    skin = paint(rng, (40, 160), (0.2, 0.6), (0.35, 0.8))
    shell = paint(rng, (15, 130), (0.3, 0.8), (0.25, 0.7))
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
        half = 0.155 * np.sqrt(max(0.05, 1 - ((x + 0.02) / 0.31) ** 2))
        lean = rng.normal(0.02, 0.015)
        pen.line([(x - lean, 0.02 - half), (x + lean, 0.02 + half)], 0.034, black)
    for k in range(4):
        x, y = 0.19 + 0.045 * k, -0.08 - 0.07 * k
        pen.line([(x, y), (x + 0.11, y + 0.07)], 0.026, black)
    pen.ellipse(0.48, -0.25, 0.045, 0.04, black)
    pen.ellipse(0.4, -0.33, 0.018, 0.018, _DARK)
    pen.polygon([(0.3, -0.36), (0.32, -0.48), (0.38, -0.37)], white)


def mug(pen: Pen, rng: Generator) -> None:
    glaze = paint(rng)
    pen.line(_arc(0.27, 0.02, 0.17, 0.18, -90, 90, 12), 0.07, shade(glaze, 0.85))
    body = [(-0.36, -0.3), (0.28, -0.3), (0.25, 0.38), (-0.33, 0.38)]
    pen.polygon(body, glaze)
    pen.ellipse(-0.04, 0.38, 0.29, 0.06, glaze)
    pen.ellipse(-0.04, -0.3, 0.32, 0.1, shade(glaze, 1.2))
    pen.ellipse(-0.04, -0.29, 0.27, 0.075, (70, 42, 25))
    pen.polygon([(-0.28, -0.1), (-0.21, -0.1), (-0.21, 0.28), (-0.27, 0.28)], shade(glaze, 1.3))


def umbrella(pen: Pen, rng: Generator) -> None:
    one, two = paint(rng, saturation=(0.4, 1)), paint(rng, saturation=(0.2, 1))
    pen.line([(0, -0.4), (0, 0.4)], 0.03, _DARK)
    pen.line(_arc(0.06, 0.4, 0.06, 0.08, 180, 0, 7), 0.03, _DARK)
    edges = np.linspace(-0.5, 0.5, 6)
    for k, (a, b) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        outer = [(x, -0.4 + 0.4 * (1 - np.sqrt(max(0.0, 1 - 4 * x * x)))) for x in (a, b)]
        middle = ((a + b) / 2, -0.05)
        top = [(x, -0.42 + 0.42 * (2 * x) ** 2) for x in np.linspace(a, b, 5)]
        tone = one if k % 2 else two
        pen.polygon([(0, -0.42), *outer, middle], tone)
        pen.polygon([*top, middle], tone)
    pen.line([(0, -0.5), (0, -0.42)], 0.03, _DARK)


def mushroom(pen: Pen, rng: Generator) -> None:
    cap = paint(rng, (-15, 45), (0.3, 0.95), (0.4, 0.9))
    stalk = paint(rng, (30, 60), (0.05, 0.25), (0.7, 1))
    pen.polygon([(-0.1, -0.05), (0.1, -0.05), (0.14, 0.48), (-0.14, 0.48)], stalk)
    pen.polygon([(-0.17, 0.1), (0.17, 0.1), (0.12, 0.02), (-0.12, 0.02)], shade(stalk, 0.8))
    pen.polygon([*map(tuple, _arc(0, 0, 0.46, 0.46, 180, 360, 16))], cap)
    pen.ellipse(0, 0, 0.46, 0.07, shade(cap, 0.7))
    for x, y in ((-0.25, -0.13), (0, -0.3), (0.22, -0.17), (-0.03, -0.1), (0.36, -0.06)):
        pen.ellipse(x + rng.normal(0, 0.02), y, rng.uniform(0.035, 0.065), 0.04, (245, 240, 225))


def ladder(pen: Pen, rng: Generator) -> None:
    wood = paint(rng, (0, 360), (0.05, 0.6), (0.4, 0.95))
    for side in (-1, 1):
        pen.line([(side * 0.13, -0.5), (side * 0.19, 0.5)], 0.05, wood)
    for k in range(int(rng.integers(5, 8))):
        y = -0.4 + 0.14 * k
        half = 0.16 + 0.06 * y
        pen.line([(-half, y), (half, y)], 0.045, shade(wood, 0.85))


OBJECTS: dict[str, Drawing] = {
    draw.__name__: draw
    for draw in (
        bee,
        butterfly,
        cherry,
        crab,
        daisy,
        dogwood,
        fish,
        gull,
        kite,
        ladder,
        leaf,
        lizard,
        lollipop,
        match,
        monitor,
        mug,
        mushroom,
        scallop,
        snail,
        stick,
        tree,
        trillium,
        turtle,
        umbrella,
        zebra,
    )
}
