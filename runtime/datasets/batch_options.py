"""What fits into a batch, and how sequences are cut for it: one object, which an epoch takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from returnn_ir.errors import Origin
from returnn_ir.options import Described, Range, check_options

__all__ = ["BatchOptions", "BatchSize", "Limit", "MaxSeqs", "SeqFrames", "SeqLength"]

_Least1 = Annotated[int, Range(1)] | Annotated[float, Range(1)]
_Least0 = Annotated[int, Range(0)] | Annotated[float, Range(0)]
#: Frames of a batch, at all or by data key.
BatchSize = Annotated[
    _Least1 | Mapping[str, _Least1], Described("a number of at least 1, or a dict from data keys to such numbers")
]
#: Sequences of a batch; -1: any number.
MaxSeqs = Annotated[Annotated[int, Range(1)] | Literal[-1], Described("a positive number, or -1")]
#: Frames of a sequence, or of a batch's padding.
SeqFrames = Annotated[
    _Least0 | Mapping[str, _Least0 | None],
    Described("a number of at least 0, or a dict from data keys to such numbers"),
]
#: The longest sequence; 0 and below have meanings of their own.
SeqLength = Annotated[
    int | float | Mapping[str, int | float | None], Described("a number, or a dict from data keys to such numbers")
]
Limit = int | float | Mapping[str, int | float | None] | None


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """How batches are made; limits are for all data keys (int) or per key (dict), with RETURNN's meaning.

    Attributes:
        batch_size: frames including padding: number of sequences times the longest length. A sequence that is longer
            makes a batch of its own.
        max_seqs: sequences; None or -1 for no limit.
        max_seq_length: longer sequences are dropped; None or 0 for no limit, negative is a limit for "classes".
        min_seq_length: shorter sequences are dropped.
        max_pad_size: frames of padding; None for no limit.
    """

    batch_size: BatchSize
    max_seqs: MaxSeqs | None = None
    max_seq_length: SeqLength | None = None
    min_seq_length: SeqFrames | None = None
    max_pad_size: SeqFrames | None = None

    def __post_init__(self) -> None:
        """Check values.

        Raises:
            UserError: a limit that is not a number, or below 1 where that means nothing.
        """
        check_options(self, lambda key: Origin(key=key))
