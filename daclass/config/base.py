"""What all sections of a config share: strictness, and numbers with their ranges."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    model_serializer,
)

ADDED = "added"
"""Marks a setting that came after results were first stored, as ``Annotated[..., ADDED]``: digests
leave it out while it stands at its default, so that everything stored before it keeps its key."""

FOR_DIGEST = {"for": "digest"}
"""Context of ``model_dump`` that asks for what digests are made of."""


class Section(BaseModel):
    """A part of the config: unknown settings are errors, values never change."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    @model_serializer(mode="wrap")
    def _serialise(
        self, handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        if info.context == FOR_DIGEST:
            for name, field in type(self).model_fields.items():
                default = field.get_default(call_default_factory=True)
                if ADDED in field.metadata and getattr(self, name) == default:
                    content.pop(name, None)
        return content


# Every number has an upper bound too, far above what anybody means: a slip of the keyboard, such as
# a batch of 1e12 pictures, is told at once and not by a job that finds no memory.

Share = Annotated[float, Field(ge=0, le=1)]

Count = Annotated[int, Field(ge=1, le=100_000)]

Pictures = Annotated[int, Field(ge=1, le=10**9)]

Pixels = Annotated[int, Field(ge=8, le=16_384)]
"""Side of a picture in px. FFCV's files hold sides below 2^16."""

Positive = Annotated[float, Field(gt=0, le=1e6)]

Rate = Annotated[float, Field(gt=0, le=1e4)]
"""Of learning."""

Epochs = Annotated[float, Field(ge=0, le=100_000)]

# torch 2.15's CPU convolutions corrupt memory in the backward pass at 4 channels, channels last.
Width = Annotated[int, Field(ge=8, le=16_384, multiple_of=8)]

Seed = Annotated[int, Field(ge=0, lt=2**31)]

Seeds = Annotated[tuple[Seed, ...], Field(min_length=1)]


def distinct(values: tuple[Any, ...], what: str) -> None:
    if len(set(values)) != len(values):
        raise ValueError(f"{what} must be distinct, got {list(values)}")
