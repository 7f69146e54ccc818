"""Designers: policies made from what the sweep shows.

A designer is a pure function of `Evidence`: it sees nothing but the selection half and the sweep's
seeds. What its policy does is measured on the estimation half with fresh seeds. What it is called
and what it needs is declared beside it (`daclass.designer`); it is found through the entry points
`daclass.designers`, as those of other packages are.
"""

from daclass.analysis.designers.evidence import Design, Evidence, designed, resolve_m
from daclass.analysis.designers.uniform import nothing_to_trade
from daclass.designer import DESIGNERS, Designer, designer

__all__ = [
    "DESIGNERS",
    "Design",
    "Designer",
    "Evidence",
    "designed",
    "designer",
    "nothing_to_trade",
    "resolve_m",
]
