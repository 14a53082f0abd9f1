"""What a program is for, and how far it has come on its way to a target."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Mode", "Stage"]


class Mode(StrEnum):
    """What a program is for; files and command lines have these names."""

    FORWARD = "forward"  #: outputs, from what is known at inference
    EVAL = "eval"  #: losses, and nothing changes
    TRAIN = "train"  #: losses to be differentiated; dropout, statistics of the batch
    SEARCH = "search"  #: the best hypotheses


class Stage(StrEnum):
    """The stages of a graph, in this order; each pass declares which it takes and which it makes."""

    NAMED = "named"  #: axes are dims, masked ops mean valid frames
    MASKED = "masked"  #: masks are explicit
    TARGET = "target"  #: the order of dims is the order in memory; only ops that the target takes
