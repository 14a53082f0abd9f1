"""Dataset options: one frozen dataclass per dataset class, made from the dict of a config."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, ClassVar, TypeVar

from returnn_ir.errors import ConfigError, Origin, UserError
from returnn_ir.options import Described, Form, Range, check_options, checked, read_options
from runtime.datasets.chunking import Chunking, Context, ContextWindow, MinChunkSize, PieceRules
from runtime.datasets.ordering import parse_ordering

__all__ = ["DatasetOptions", "Places", "options_from_dict", "refuse_without_effect"]

#: Where an option stands, or what is in it under further keys; with None or nothing the dict that has it.
Places = Callable[..., Origin | str | None]

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
        seq_list_filter_file: the sequence tags to use: a text, one per line, or a pickle of a list.
        unique_seq_tags: keep only the first sequence of each tag, in the order of the epoch.
        seq_order_seq_lens_file: a Python dict, tag to length, to sort by, as text or pickle.
        estimated_num_seqs: for progress reports only.
        chunking: ``"SIZE:STEP"`` and its other forms; in training the sequences are cut.
        chunking_variance: up to this share is taken off size and step, at random for each sequence.
        min_chunk_size: no chunk begins where for any key no more than this is left.
        window: each frame of "data" is joined with its neighbours, so many in all; 0 and 1: with none.
        context_window: frames around each piece, in one of the forms that ``chunking.read_context`` takes.
    """

    #: Orders that only this class has.
    own_orderings: ClassVar[tuple[str, ...]] = ()

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
    _place: Places | None = None

    def __post_init__(self) -> None:
        """Check values; dataset classes whose options depend on each other extend this.

        Raises:
            UserError: everything that has the wrong type or range.
        """
        check_options(self, lambda key: None, owner="dataset")
        if isinstance(self.seq_ordering, str) and self.seq_ordering not in self.own_orderings:
            parse_ordering(self.seq_ordering, others=self.own_orderings)
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

    def place(self, *keys: object) -> Origin | str | None:
        """Where an option stands, or what is in it under further keys."""
        return (self._place and self._place(*keys)) or self.where


OptionsT = TypeVar("OptionsT", bound=DatasetOptions)


def options_from_dict(cls: type[OptionsT], class_name: str, kwargs: Mapping[str, Any], place: Places) -> OptionsT:
    """Make the options of one dataset class from a config's dict (without its key "class").

    Raises:
        UserError: everything that is unknown, not supported, missing or has a wrong value.
    """
    try:
        options = checked(read_options(cls, kwargs, place, owner=class_name, not_done=_OFF_VALUES))
        return replace(options, _place=place)
    except UserError as error:
        error.where = error.where or place(None)
        raise


def refuse_without_effect(
    options: DatasetOptions,
    names: Iterable[str],
    why: str,
    hint: str = "set it in the datasets inside, or leave it out",
) -> None:
    """Refuse options that the dataset does not have a use for.

    Args:
        why: what it does instead, for the message.
        hint: what to try.

    Raises:
        ConfigError: one of them has another value than its default; a partition or repetition of 1 is none.
    """
    defaults = {field.name: field.default for field in fields(options)}
    for name in names:
        value = getattr(options, name)
        if value != defaults[name] and not (name in ("partition_epoch", "repeat_epoch") and value == 1):
            raise ConfigError(
                f"option {name!r} has no effect here: {why}",
                where=options.place(name),
                received=repr(value),
                hint=hint,
            )
