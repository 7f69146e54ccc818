"""What all sections of a config share: strictness, and numbers with their ranges."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A part of the config: unknown settings are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


Share = Annotated[float, Field(ge=0, le=1)]

Count = Annotated[int, Field(ge=1)]

Positive = Annotated[float, Field(gt=0)]

# torch 2.15's CPU convolutions corrupt memory in the backward pass at 4 channels, channels last.
Width = Annotated[int, Field(ge=8, multiple_of=8)]

Seeds = Annotated[tuple[Annotated[int, Field(ge=0, lt=2**31)], ...], Field(min_length=1)]


def distinct(values: tuple[Any, ...], what: str) -> None:
    if len(set(values)) != len(values):
        raise ValueError(f"{what} must be distinct, got {list(values)}")
