"""What fits into a batch, and how sequences are cut for it: one object, which an epoch takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from returnn_ir.errors import Origin
from returnn_ir.options import UNSET, Described, Positive, Probability, Range, Unset, check_options
from runtime.datasets.chunking import Chunking

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
        seq_drop: the probability with which a piece is left out.
        seq_drop_freq: where batches are kept because the order did not change, they are made anew in every epoch that
            is a multiple of this, if pieces are left out at random.
        inc_seq_length: what ``max_seq_length`` grows by, see ``started`` and ``next_epoch``.
        shuffle_batches: batches that are kept from the epoch before come in another order.
        chunking: of the data, instead of the dataset's own.
        recurrent: frames have an order; without, batches are made of frames, one behind the other.
        keep_empty: a last batch is there also when none of its sequences has a frame; not so in RETURNN.
        enforce_min_len1: where all sequences of a batch are empty, there is one frame of padding.
    """

    batch_size: BatchSize
    max_seqs: MaxSeqs | None = None
    max_seq_length: SeqLength | None = None
    min_seq_length: SeqFrames | None = None
    max_pad_size: SeqFrames | None = None
    seq_drop: Probability = 0.0
    seq_drop_freq: Positive = 10.0
    inc_seq_length: int | float = 0
    shuffle_batches: bool = False
    chunking: Chunking | Unset = UNSET
    recurrent: bool = True
    keep_empty: bool = False
    enforce_min_len1: bool = False

    def __post_init__(self) -> None:
        """Check values.

        Raises:
            UserError: a limit that is not a number, or below 1 where that means nothing.
        """
        check_options(self, lambda key: Origin(key=key))

    def started(self, first_epoch: int) -> BatchOptions:
        """The options before the first epoch of a training: sequences may be longer if it is a late one."""
        longest = self.max_seq_length
        if isinstance(longest, Mapping) or not longest:
            return self
        return replace(self, max_seq_length=longest + (first_epoch - 1) * self.inc_seq_length)

    def next_epoch(self) -> BatchOptions:
        """The options of the next epoch (also of the first one), unless its network sets others.

        RETURNN lets ``max_seq_length`` grow only while it is a whole number: a float, or an ``inc_seq_length`` that is
        one (``started`` has added it), ends that.
        """
        longest = self.max_seq_length
        if not isinstance(longest, int) or not longest or int(longest + self.inc_seq_length) == longest:
            return self
        return replace(self, max_seq_length=longest + self.inc_seq_length)
