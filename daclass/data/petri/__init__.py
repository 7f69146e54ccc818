"""The generated *petri* set: small pictures with planted class relations, no download, no GPU."""

from daclass.data.petri.generate import write_petri
from daclass.data.petri.settings import PetriSettings

__all__ = ["PetriSettings", "write_petri"]
