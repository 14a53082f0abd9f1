"""Dataset options: one frozen dataclass per dataset class, made from the dict of a config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from returnn_ir.errors import ConfigError, Origin, ProblemList, UserError, did_you_mean
from runtime.datasets.ordering import parse_ordering

__all__ = ["DatasetOptions", "check_bool", "check_int", "options_from_dict"]

# Options that RETURNN's datasets know and ours do not: only the values that mean "off" are accepted.
_OFF_VALUES: Mapping[str, tuple[object, ...]] = {
    "window": (None, 0, 1),
    "context_window": (None, 0, 1),
    "chunking": (None, 0, "0", ""),
    "shuffle_frames_of_nseqs": (None, 0),
    "min_chunk_size": (None, 0),
    "chunking_variance": (None, 0),
    "_num_shards": (None, 1),
    "_shard_index": (None, 0),
}


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
    """

    name: str | None = None
    seq_ordering: str | Callable[..., str] = "default"
    fixed_random_seed: int | None = None
    random_seed_offset: int | None = None
    partition_epoch: int | None = None
    repeat_epoch: int | None = None
    seq_list_filter_file: str | None = None
    unique_seq_tags: bool = False
    seq_order_seq_lens_file: str | None = None
    estimated_num_seqs: int | None = None

    def __post_init__(self) -> None:
        """Check values; all dataset classes extend this.

        Raises:
            ConfigError: an option's value has the wrong type or range.
        """
        if isinstance(self.seq_ordering, str):
            parse_ordering(self.seq_ordering)
        elif not callable(self.seq_ordering):
            raise _wrong("seq_ordering", "a str, or a function of the epoch that returns one", self.seq_ordering)
        check_int("fixed_random_seed", self.fixed_random_seed, minimum=0)
        check_int("random_seed_offset", self.random_seed_offset, minimum=0)
        check_int("partition_epoch", self.partition_epoch, minimum=1)
        check_int("repeat_epoch", self.repeat_epoch, minimum=1)
        check_int("estimated_num_seqs", self.estimated_num_seqs, minimum=0)
        check_bool("unique_seq_tags", self.unique_seq_tags)
        for key in ("name", "seq_list_filter_file", "seq_order_seq_lens_file"):
            value = getattr(self, key)
            if value is not None and not isinstance(value, str):
                raise _wrong(key, "a str or None", value)
        if (self.partition_epoch or 1) > 1 and (self.repeat_epoch or 1) > 1:
            raise ConfigError(
                "partition_epoch and repeat_epoch exclude each other",
                expected="one of the two",
                received=f"partition_epoch={self.partition_epoch}, repeat_epoch={self.repeat_epoch}",
            )

    @property
    def where(self) -> str:
        """How error messages name the dataset."""
        return f"dataset {self.name!r}" if self.name else "dataset"


OptionsT = TypeVar("OptionsT", bound=DatasetOptions)


def options_from_dict(
    cls: type[OptionsT], class_name: str, kwargs: Mapping[str, Any], *, where: Origin | str | None = None
) -> OptionsT:
    """Make the options of one dataset class from a config's dict (without its key "class").

    Raises:
        ConfigError: an unknown or unsupported option, a missing one, or a wrong value.
        ProblemList: several of these.
    """
    valid = {field.name for field in fields(cls)}
    problems: list[UserError] = []
    known: dict[str, Any] = {}
    for key, value in kwargs.items():
        if key in valid:
            known[key] = value
        elif key in _OFF_VALUES:
            if not _is_off(key, value):
                what = f"option {key!r} of {class_name} is not supported"
                problems.append(ConfigError(what, where=where, received=repr(value), hint=f"leave {key!r} out"))
        else:
            what = f"{class_name} has no option {key!r}"
            hint = did_you_mean(key, [*valid, *_OFF_VALUES])
            problems.append(ConfigError(what, where=where, expected=f"one of {', '.join(sorted(valid))}", hint=hint))
    if len(problems) > 1:
        raise ProblemList(problems)
    if problems:
        raise problems[0]
    try:
        return cls(**known)
    except ConfigError as error:
        error.where = error.where or where
        raise


def _is_off(key: str, value: object) -> bool:
    """Whether the value of an unsupported option means that it is not used."""
    return isinstance(value, (int, float, str, type(None))) and value is not True and value in _OFF_VALUES[key]


def check_int(key: str, value: object, *, minimum: int, optional: bool = True) -> None:
    """Raise a ConfigError unless ``value`` is an int of at least ``minimum`` (or None where that is allowed)."""
    if value is None and optional:
        return
    if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
        raise _wrong(key, f"an int of at least {minimum}" + (" or None" if optional else ""), value)


def check_bool(key: str, value: object) -> None:
    """Raise a ConfigError unless ``value`` is a bool (or 0 or 1, as old configs write it)."""
    if not isinstance(value, int) or value not in (0, 1):
        raise _wrong(key, "True or False", value)


def _wrong(key: str, expected: str, value: object) -> ConfigError:
    return ConfigError(f"wrong value for dataset option {key!r}", expected=expected, received=repr(value))
