"""Everything about the petri set that can be set: sizes, shares, poses, light, noise, seed."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)


def _ascending(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"a range goes from low to high, not {bounds[0]:g} to {bounds[1]:g}")
    return bounds


Amount = Annotated[float, Field(ge=0, le=1000)]
Range = Annotated[tuple[Amount, Amount], AfterValidator(_ascending)]
Number = Annotated[int, Field(ge=0, le=1000)]
CountRange = Annotated[tuple[Number, Number], AfterValidator(_ascending)]
Size = Annotated[float, Field(gt=0, le=10)]
SizeRange = Annotated[tuple[Size, Size], AfterValidator(_ascending)]
Share = Annotated[float, Field(ge=0, le=1)]
Degrees = Annotated[float, Field(ge=0, le=180)]

_FREE, _UPRIGHT, _FLOWER = 180.0, 12.0, 30.0

# A setting that is a table takes single rows from the config and keeps these for the rest.
_TABLES: dict[str, dict[str, Any]] = {
    "sizes": {
        "bee": (0.36, 0.5),
        "butterfly": (0.55, 1.25),
        "cherry": (0.33, 0.41),
        "daisy": (0.6, 1.1),
        "dogwood": (0.7, 1.3),
        "fish": (0.55, 1.25),
        "flock": (0.16, 0.32),
        "gull": (0.16, 0.32),
        "kite": (0.38, 0.56),
        "ladybird": (0.55, 1.25),
        "leaf": (0.55, 1.25),
        "lollipop": (0.6, 1.2),
        "match": (0.8, 1.3),
        "monitor": (0.35, 0.75),
        "mushroom": (0.5, 1.1),
        "plum": (0.43, 0.65),
        "scallop": (0.55, 1.25),
        "screen": (0.6, 1.2),
        "snail": (0.6, 1.2),
        "stick": (0.8, 1.3),
        "tree": (0.6, 1.1),
        "trillium": (0.7, 1.3),
        "turtle": (0.55, 1.25),
        "zebra": (0.6, 1.4),
    },
    "training_sizes": {
        "fish": (0.4, 0.65),
        "ladybird": (0.4, 0.65),
        "leaf": (0.4, 0.65),
        "scallop": (0.4, 0.65),
        "turtle": (0.4, 0.65),
    },
    "together": {"bee": 0.7, "daisy": 0.5, "kite": 0.7, "tree": 0.5},
    "companion_sizes": {"bee": (0.26, 0.34), "kite": (0.26, 0.36)},
    "companion_offsets": {"bee": (0.0, 0.25), "kite": (0.25, 0.42)},
    "tilts": {
        "bee": _FREE,
        "butterfly": _FREE,
        "cherry": _FREE,
        "daisy": _FREE,
        "dogwood": _FLOWER,
        "fish": _FREE,
        "flock": _FREE,
        "gull": _FREE,
        "kite": _FREE,
        "ladybird": _FREE,
        "leaf": _FREE,
        "lollipop": _UPRIGHT,
        "match": _FREE,
        "monitor": _UPRIGHT,
        "mushroom": _UPRIGHT,
        "plum": _FREE,
        "scallop": _FREE,
        "screen": _UPRIGHT,
        "snail": _FREE,
        "stick": _FREE,
        "tree": _UPRIGHT,
        "trillium": _FLOWER,
        "turtle": _FREE,
        "zebra": _FREE,
    },
}


class PetriSettings(BaseModel):
    """Settings of the generated petri set; the defaults make a complete set.

    Where several objects or values are possible, each picture draws its own, evenly from the
    range given. A table (class name to value) may name some classes only; the others keep
    their defaults.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    picture_size: int = Field(48, ge=24, le=256, description="Side of the square pictures, pixels.")
    supersampling: int = Field(
        3, ge=1, le=8, description="How many times larger shapes are drawn before shrinking."
    )
    jpeg_quality: int = Field(85, ge=1, le=100, description="JPEG quality, 1 to 100.")
    train_per_class: int = Field(
        70, ge=1, le=10**6, description="Training pictures per class, in each draw."
    )
    val_per_class: int = Field(100, ge=1, le=10**6, description="Validation pictures per class.")
    seed: int = Field(
        0, ge=0, lt=2**31, description="Data seed, of the validation pictures and all draws."
    )

    sizes: dict[str, SizeRange] = Field(
        _TABLES["sizes"],
        validate_default=True,
        description="Apparent size of each class's object: its longer side, as a share of the "
        "picture's side. monitor and screen overlap (ambiguous), cherry and plum do not "
        "(fine-grained). For gull and flock it is the size of one bird.",
    )
    training_sizes: dict[str, SizeRange] = Field(
        _TABLES["training_sizes"],
        validate_default=True,
        description="Apparent size in the training pictures, for the classes that were "
        "photographed from further away there: cropping brings them as near as in validation.",
    )
    gull_count: CountRange = Field((1, 6), description="Birds in a picture labelled gull.")
    flock_count: CountRange = Field(
        (6, 8), description="Birds in a picture labelled flock; overlaps with gull_count."
    )
    together: dict[str, Share] = Field(
        _TABLES["together"],
        validate_default=True,
        description="Share of a class's pictures that also hold its companion (bee with daisy, "
        "kite with tree), both ways.",
    )
    companion_sizes: dict[str, SizeRange] = Field(
        _TABLES["companion_sizes"],
        validate_default=True,
        description="Apparent size of a bee in a picture labelled daisy, a kite in one labelled "
        "tree: smaller than in pictures labelled bee or kite, where it is the subject.",
    )
    companion_offsets: dict[str, Range] = Field(
        _TABLES["companion_offsets"],
        validate_default=True,
        description="How far from the picture's centre the bee or kite stands when its companion "
        "is there too, share of the side.",
    )
    tilts: dict[str, Degrees] = Field(
        _TABLES["tilts"],
        validate_default=True,
        description="Largest turn of each class's object to either side, degrees.",
    )
    offset: Share = Field(
        0.2, description="Largest shift of an object from the centre, share of the side."
    )
    squeeze: Annotated[tuple[Share, Share], AfterValidator(_ascending)] = Field(
        (0.8, 1.0), description="Foreshortening in a random direction: 1 is none."
    )

    clutter: CountRange = Field((3, 9), description="Other things lying behind the object.")
    clutter_sizes: SizeRange = Field((0.05, 0.28), description="Their size, share of the side.")
    occluder_share: Share = Field(0.25, description="Share of pictures with a thing in front.")
    light: Range = Field((0.7, 1.3), description="Exposure: factor on the picture's brightness.")
    colour_cast: float = Field(
        0.08, ge=0, le=10, description="Standard deviation of each colour channel's gain."
    )
    blur: Range = Field((0.0, 1.2), description="Blur of what lies behind the object, pixels.")
    noise: Range = Field(
        (0.005, 0.03), description="Sensor noise: standard deviation of a channel of 0 to 1."
    )

    @field_validator(*_TABLES, mode="before")
    @classmethod
    def _completed(cls, given: Any, info: ValidationInfo) -> Any:
        defaults = _TABLES[str(info.field_name)]
        if not isinstance(given, dict):
            return given
        if unknown := sorted(str(name) for name in given if name not in defaults):
            raise ValueError(f"knows {', '.join(defaults)}; not {', '.join(unknown)}")
        rows = {name: tuple(row) if isinstance(row, list) else row for name, row in given.items()}
        return {**defaults, **rows}

    @model_validator(mode="after")
    def _relations_hold(self) -> PetriSettings:
        """Ranges keep the planted relations: `sizes.screen` and `flock_count` overlap
        `sizes.monitor` and `gull_count` and reach beyond them; `sizes.plum` lies above
        `sizes.cherry`.
        """
        sizes = self.sizes
        if not sizes["monitor"][0] < sizes["screen"][0] < sizes["monitor"][1] < sizes["screen"][1]:
            raise ValueError("sizes.screen: must overlap sizes.monitor and reach beyond it")
        gull, flock = self.gull_count, self.flock_count
        if not 1 <= gull[0] < flock[0] <= gull[1] < flock[1]:
            raise ValueError("flock_count: must overlap gull_count (from 1) and reach beyond it")
        if sizes["cherry"][1] >= sizes["plum"][0]:
            raise ValueError("sizes.plum: must lie above sizes.cherry, size alone tells them apart")
        return self
