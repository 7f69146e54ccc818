"""The generated *petri* set: small pictures with planted class relations, no download, no GPU."""

from daclass.data.petri.generate import write_petri

__all__ = ["write_petri"]
