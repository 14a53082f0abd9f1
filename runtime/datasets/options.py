"""Dataset options: one frozen dataclass per dataset class, made from the dict of a config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from returnn_ir.errors import ConfigError, UserError
from returnn_ir.options import Described, Form, Place, Range, check_options, checked, read_options
from runtime.datasets.chunking import Chunking, Context, ContextWindow, MinChunkSize, PieceRules
from runtime.datasets.ordering import parse_ordering

__all__ = ["DatasetOptions", "options_from_dict"]

# Options that RETURNN's datasets know and ours do not: only the values that mean "off" are accepted.
_OFF_VALUES: Mapping[str, tuple[object, ...]] = {
    "shuffle_frames_of_nseqs": (None, 0),
    "_num_shards": (None, 1),
    "_shard_index": (None, 0),
}


_NO_CONTEXT = Context()
Window = Annotated[int, Range(0), Form(lambda given: 1 if given is None else given)]


@dataclass(frozen=True, kw_only=True)
class DatasetOptions:
    """Options that every dataset has, under RETURNN's names.

    Attributes:
        name: what error messages and logs call the dataset, such as "train".
        seq_ordering: order of the sequences of an epoch (see ``ordering.parse_ordering``), or ``f(epoch=...) -> str``.
        fixed_random_seed: seed for all epochs, instead of the epoch number.
        random_seed_offset: added to the epoch number to make the seed.
        partition_epoch: an epoch is this fraction of the data; the order stays until all parts were seen.
        repeat_epoch: an epoch is the data this many times; excludes ``partition_epoch``.
        seq_list_filter_file: text file (``.gz`` too) with the sequence tags to use, one per line.
        unique_seq_tags: keep only the first sequence of each tag, in the order of the epoch.
        seq_order_seq_lens_file: text file (``.gz`` too) with a Python dict, tag to length, to sort by.
        estimated_num_seqs: for progress reports only.
        chunking: ``"SIZE:STEP"`` and its other forms; in training the sequences are cut.
        chunking_variance: up to this share is taken off size and step, at random for each sequence.
        min_chunk_size: no chunk begins where for any key no more than this is left.
        window: each frame of "data" is joined with its neighbours, so many in all; 0 and 1: with none.
        context_window: frames around each piece, in one of the forms that ``chunking.read_context`` takes.
    """

    name: str | None = None
    seq_ordering: Annotated[
        str | Callable[..., str], Described("a str, or a function of the epoch that returns one")
    ] = "default"
    fixed_random_seed: Annotated[int, Range(0)] | None = None
    random_seed_offset: Annotated[int, Range(0)] | None = None
    partition_epoch: Annotated[int, Range(1)] | None = None
    repeat_epoch: Annotated[int, Range(1)] | None = None
    seq_list_filter_file: str | None = None
    unique_seq_tags: bool = False
    seq_order_seq_lens_file: str | None = None
    estimated_num_seqs: Annotated[int, Range(0)] | None = None
    chunking: Chunking = None
    chunking_variance: Annotated[float, Range(0)] = 0.0
    min_chunk_size: MinChunkSize = 0
    context_window: ContextWindow = _NO_CONTEXT
    window: Window = 1

    def __post_init__(self) -> None:
        """Check values; dataset classes whose options depend on each other extend this.

        Raises:
            UserError: everything that has the wrong type or range.
        """
        check_options(self, lambda key: None, owner="dataset")
        if isinstance(self.seq_ordering, str):
            parse_ordering(self.seq_ordering)
        if (self.partition_epoch or 1) > 1 and (self.repeat_epoch or 1) > 1:
            raise ConfigError(
                "partition_epoch and repeat_epoch exclude each other",
                expected="one of the two",
                received=f"partition_epoch={self.partition_epoch}, repeat_epoch={self.repeat_epoch}",
            )

    @property
    def piece_rules(self) -> PieceRules:
        """How the sequences are cut."""
        return PieceRules(self.chunking, self.chunking_variance, self.min_chunk_size, self.context_window)

    @property
    def where(self) -> str:
        """How error messages name the dataset."""
        return f"dataset {self.name!r}" if self.name else "dataset"


OptionsT = TypeVar("OptionsT", bound=DatasetOptions)


def options_from_dict(cls: type[OptionsT], class_name: str, kwargs: Mapping[str, Any], place: Place) -> OptionsT:
    """Make the options of one dataset class from a config's dict (without its key "class").

    Raises:
        UserError: everything that is unknown, not supported, missing or has a wrong value.
    """
    try:
        return checked(read_options(cls, kwargs, place, owner=class_name, not_done=_OFF_VALUES))
    except UserError as error:
        error.where = error.where or place(None)
        raise
