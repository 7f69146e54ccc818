"""Everything about the petri set that can be set: sizes, shares, light, noise, seeds."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator


def _ascending(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"a range goes from low to high, not {bounds[0]:g} to {bounds[1]:g}")
    return bounds


def _counts(bounds: tuple[int, int]) -> tuple[int, int]:
    _ascending(bounds)
    if bounds[0] < 0:
        raise ValueError(f"a count cannot be negative, not {bounds[0]}")
    return bounds


Range = Annotated[tuple[float, float], AfterValidator(_ascending)]
CountRange = Annotated[tuple[int, int], AfterValidator(_counts)]
Share = Annotated[float, Field(ge=0, le=1)]

# The longer side of the object, as a share of the picture's side. Above 1 it reaches out of the frame.
SIZES: dict[str, tuple[float, float]] = {
    "bee": (0.28, 0.4),
    "butterfly": (0.5, 1.2),
    "cherry": (0.22, 0.38),
    "daisy": (0.6, 1.0),
    "dogwood": (0.6, 1.0),
    "fish": (0.5, 1.3),
    "flock": (0.3, 0.42),
    "gull": (0.3, 0.42),
    "kite": (0.3, 0.45),
    "ladybird": (0.5, 1.2),
    "leaf": (0.5, 1.3),
    "lollipop": (0.55, 1.0),
    "match": (0.6, 1.0),
    "monitor": (0.3, 0.7),
    "mushroom": (0.5, 1.0),
    "plum": (0.44, 0.7),
    "scallop": (0.5, 1.3),
    "screen": (0.55, 1.05),
    "snail": (0.55, 1.0),
    "stick": (0.6, 1.0),
    "tree": (0.6, 1.05),
    "trillium": (0.6, 1.0),
    "turtle": (0.5, 1.2),
    "zebra": (0.6, 1.3),
}
TOGETHER: dict[str, float] = {"kite": 0.7, "tree": 0.15, "bee": 0.7, "daisy": 0.15}


class PetriSettings(BaseModel):
    """Settings of the generated petri set; the defaults make a complete set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    picture_size: int = Field(48, ge=24, le=256, description="Side of the square pictures, pixels.")
    supersampling: int = Field(
        3, ge=1, le=8, description="Shapes are drawn this many times larger and shrunk."
    )
    train_per_class: int = Field(100, ge=1, description="Training pictures a class, in each draw.")
    val_per_class: int = Field(100, ge=1, description="Validation pictures a class.")
    seed: int = Field(0, ge=0, description="Data seed of the validation pictures and every draw.")
    jpeg_quality: int = Field(85, ge=1, le=100, description="JPEG quality, 1 to 100.")

    sizes: dict[str, Range] = Field(
        SIZES,
        validate_default=True,
        description="Apparent size of each class: the object's longer side as a share of the "
        "picture's side, drawn evenly from this range. Classes left out keep their default.",
    )
    gull_count: CountRange = Field((1, 3), description="Birds in a picture labelled gull.")
    flock_count: CountRange = Field((3, 6), description="Birds in a picture labelled flock.")
    together: dict[str, Share] = Field(
        TOGETHER,
        validate_default=True,
        description="Share of each class's pictures that also hold its companion (kite with tree, "
        "bee with daisy). Classes left out keep their default.",
    )

    tilt: float = Field(12, ge=0, le=180, description="Largest turn of upright objects, degrees.")
    free_tilt: float = Field(180, ge=0, le=180, description="Largest turn of free ones, degrees.")
    squeeze: Range = Field((0.8, 1.0), description="Foreshortening: shorter axis over longer.")
    offset: Share = Field(0.15, description="Object's largest shift from the centre, of the side.")
    free_offset: Share = Field(0.25, description="The same for free objects.")

    clutter: CountRange = Field((3, 9), description="Other things lying behind the object.")
    clutter_size: Range = Field((0.05, 0.28), description="Their size, share of the side.")
    occluder_share: Share = Field(0.25, description="Share of pictures with a thing in front.")
    light: Range = Field((0.7, 1.3), description="Exposure: factor on the picture's brightness.")
    colour_cast: float = Field(0.08, ge=0, description="Deviation of each channel's gain.")
    blur: Range = Field((0.0, 1.2), description="Blur of the background, pixels.")
    noise: Range = Field((0.005, 0.03), description="Sensor noise, deviation of a 0..1 channel.")

    @field_validator("sizes", mode="before")
    @classmethod
    def _complete_sizes(cls, given: Any) -> Any:
        return _completed(given, SIZES)

    @field_validator("together", mode="before")
    @classmethod
    def _complete_together(cls, given: Any) -> Any:
        return _completed(given, TOGETHER)

    @model_validator(mode="after")
    def _relations_hold(self) -> PetriSettings:
        sizes = self.sizes
        for name, (low, _) in sizes.items():
            if low <= 0:
                raise ValueError(f"sizes.{name}: a size is above 0, not {low:g}")
        if not sizes["monitor"][0] < sizes["screen"][0] <= sizes["monitor"][1]:
            raise ValueError("sizes.screen: must start inside sizes.monitor (they are ambiguous)")
        if not self.gull_count[0] < self.flock_count[0] <= self.gull_count[1]:
            raise ValueError("flock_count: must start inside gull_count (they are ambiguous)")
        if sizes["cherry"][1] > sizes["plum"][0]:
            raise ValueError("sizes.plum: must start above sizes.cherry (told apart by size alone)")
        return self


def _completed(given: Any, defaults: dict[str, Any]) -> Any:
    if not isinstance(given, dict):
        return given
    if unknown := sorted(set(given) - set(defaults)):
        raise ValueError(f"no such class: {', '.join(map(str, unknown))}")
    return {**defaults, **given}
