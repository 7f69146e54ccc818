"""A pen that draws in an object's own coordinates, whatever its pose in the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]

_ANGLES = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)


@dataclass(frozen=True)
class Pose:
    """Where an object stands: centre and size as shares of the side, turn in degrees."""

    x: float = 0.5
    y: float = 0.5
    size: float = 1.0
    turn: float = 0.0
    squeeze: float = 1.0  # shorter over longer axis of the foreshortening
    slant: float = 0.0  # direction of the foreshortening, degrees
    mirrored: bool = False


def _rotation(degrees: float) -> NDArray[np.float64]:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, -s], [s, c]])


class Pen:
    """Draws opaque shapes on a transparent layer of ``side`` pixels, enlarged while drawing.

    Coordinates are the object's own: it spans about -0.5 to 0.5, x to the right, y downwards.
    """

    def __init__(self, side: int, supersampling: int) -> None:
        self._factor = supersampling
        self._side = side * supersampling
        # Untouched pixels are 0 and shapes opaque, so means of pixels are premultiplied ("a").
        self._image = Image.new("RGBa", (self._side, self._side))
        self._draw = ImageDraw.Draw(self._image)
        self.place(Pose())

    def place(self, pose: Pose) -> None:
        """Draw from now on in the coordinates of this pose."""
        # Turn the object, then squeeze it across the direction of slant: S(slant) R(turn).
        self._scale = pose.size * self._side
        c, s = math.cos(math.radians(pose.slant)), math.sin(math.radians(pose.slant))
        loss = self._scale * (1 - pose.squeeze)
        rest = self._scale * pose.squeeze
        xx, xy, yy = rest + loss * c * c, loss * c * s, rest + loss * s * s
        c, s = math.cos(math.radians(pose.turn)), math.sin(math.radians(pose.turn))
        sign = -1.0 if pose.mirrored else 1.0
        self._matrix = np.array(
            [
                [sign * (xx * c + xy * s), sign * (xy * c + yy * s)],
                [xy * c - xx * s, yy * c - xy * s],
            ]
        )
        self._centre = np.array([pose.x * self._side, pose.y * self._side])

    def _pixels(self, points: ArrayLike) -> list[float]:
        at: NDArray[np.float64] = np.asarray(points) @ self._matrix + self._centre
        return at.ravel().tolist()

    def polygon(self, points: ArrayLike, colour: Colour) -> None:
        """Fill the polygon through ``points``, shape (n, 2)."""
        self._draw.polygon(self._pixels(points), fill=(*colour, 255))

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, colour: Colour, turn: float = 0.0
    ) -> None:
        """Fill the ellipse around (x, y) with half axes rx, ry, turned by ``turn`` degrees."""
        points = _CIRCLE * (rx, ry)
        if turn:
            points = points @ _rotation(turn).T
        self.polygon(points + np.array([x, y]), colour)

    def line(self, points: ArrayLike, width: float, colour: Colour) -> None:
        """Stroke the open line through ``points``, shape (n, 2), ``width`` in object units."""
        pixels = max(1, round(width * self._scale))
        self._draw.line(self._pixels(points), fill=(*colour, 255), width=pixels, joint="curve")

    def layer(self) -> NDArray[np.float32]:
        """What was drawn, (side, side, 4) float32 in 0..1, colours premultiplied by alpha."""
        shrunk = np.asarray(self._image.reduce(self._factor), dtype=np.float32)
        return shrunk / np.float32(255)
