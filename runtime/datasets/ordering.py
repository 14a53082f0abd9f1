"""Order of the sequences of an epoch, the same as RETURNN's for the same options and epoch.

Random orders come from NumPy's legacy ``RandomState``, whose stream is frozen, seeded by the epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from returnn_ir.errors import ConfigError, did_you_mean

__all__ = ["IntArray", "LengthsFunction", "SeqOrdering", "make_order", "parse_ordering", "partition"]

IntArray = npt.NDArray[np.int64]
LengthsFunction = Callable[[], npt.NDArray[Any]]

_PLAIN = ("default", "reverse", "sorted", "sorted_reverse")
_RANDOM = ("random", "random_sample")
_BINNED = ("laplace", "sort_bin_shuffle", "sort_bin_shuffle_x2")
#: How those are written that have parameters.
_PARAMETERS = {
    **{method: f"{method} or {method}:EPOCHS" for method in _RANDOM},
    **{method: f"{method}, {method}:BINS or {method}:BINS:EPOCHS" for method in _BINNED},
    "default_every_n": "default_every_n:STREAMS",
}
_METHODS = (*_PLAIN, *_RANDOM, *_BINNED, "default_every_n")


@dataclass(frozen=True)
class SeqOrdering:
    """A parsed ``seq_ordering``.

    Attributes:
        method: one of RETURNN's names, without the parameters behind the colon.
        count: number of bins (binned methods) or of interleaved streams (``default_every_n``).
        bin_size: sequences per bin, approximately; excludes ``count``.
        epochs_fixed: the random seed stays for this many epochs.
    """

    method: str
    count: int = 2
    bin_size: int | None = None
    epochs_fixed: int = 1

    def num_bins(self, num_seqs: int) -> int:
        """Number of bins for a dataset of this size."""
        return max(num_seqs // self.bin_size, 2) if self.bin_size else self.count


def parse_ordering(text: str, key: str = "seq_ordering", others: Iterable[str] = ()) -> SeqOrdering:
    """Parse ``METHOD``, ``random[:EPOCHS]``, ``laplace[:BINS[:EPOCHS]]``, ``laplace:.BIN_SIZE[:EPOCHS]`` and so on.

    Args:
        key: the option, for messages.
        others: methods that are valid too, and not understood here, for messages.

    Raises:
        ConfigError: an unknown method, or parameters that it does not have.
    """
    what = f"{key} {text!r}"
    method, *params = text.split(":")
    if method not in _METHODS:
        raise ConfigError(
            f"unknown {what}",
            expected=f"one of {', '.join((*_METHODS, *others))}, some with parameters behind a colon",
            hint=did_you_mean(method, [*_METHODS, *others]),
        )
    if method in _PLAIN and not params:
        return SeqOrdering(method)
    if method in _RANDOM and len(params) <= 1:
        return SeqOrdering(method, epochs_fixed=_positive(params[0], what) if params else 1)
    if method == "default_every_n" and len(params) == 1:
        return SeqOrdering(method, count=_positive(params[0], what))
    if method in _BINNED and len(params) <= 2:
        epochs_fixed = _positive(params[1], what) if len(params) == 2 else 1
        if not params:
            return SeqOrdering(method)
        if params[0].startswith("."):
            return SeqOrdering(method, bin_size=_positive(params[0][1:], what), epochs_fixed=epochs_fixed)
        return SeqOrdering(method, count=_positive(params[0], what), epochs_fixed=epochs_fixed)
    raise ConfigError(
        f"wrong number of parameters in {what}",
        expected=_PARAMETERS.get(method, f"{method}, without parameters"),
        received=f"{len(params)} parameters",
    )


def _positive(text: str, what: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError(f"wrong parameter in {what}", expected="a positive integer", received=repr(text))
    return int(text)


def make_order(ordering: SeqOrdering, seed: int, num_seqs: int, lengths: LengthsFunction) -> IntArray:
    """The order of the whole data for one epoch.

    Args:
        ordering: the method.
        seed: of the epoch; methods without randomness ignore it.
        num_seqs: size of the data.
        lengths: gives the length of each sequence, ``[num_seqs]``; called only by methods that sort.

    Returns:
        Corpus indices, ``[num_seqs]`` (fewer for ``default_every_n`` if the streams do not come out even).
    """
    match ordering.method:
        case "default":
            return np.arange(num_seqs)
        case "reverse":
            return np.arange(num_seqs)[::-1]
        case "sorted":
            return np.argsort(lengths(), kind="stable")
        case "sorted_reverse":
            return np.argsort(-lengths(), kind="stable")
        case "default_every_n":
            stream_len = num_seqs // ordering.count
            return np.arange(stream_len * ordering.count).reshape(ordering.count, stream_len).T.reshape(-1)
    random = np.random.RandomState(seed)
    if ordering.method == "random_sample":
        return random.randint(0, num_seqs, size=num_seqs).astype(np.int64)
    order: IntArray = random.permutation(num_seqs).astype(np.int64)
    if ordering.method == "random":
        return order
    num_bins = ordering.num_bins(num_seqs)
    if ordering.method == "laplace":
        return _laplace(order, num_bins, lengths())
    return _sort_bin_shuffle(order, num_bins, lengths(), random, inside=ordering.method == "sort_bin_shuffle_x2")


def _laplace(order: IntArray, num_bins: int, lengths: npt.NDArray[Any]) -> IntArray:
    """Random bins, each sorted by length, up and down in turn: neighbours have similar lengths, also across bins."""
    bins = _split(order, num_bins)
    signed = [lengths[part] if i % 2 == 0 else -lengths[part] for i, part in enumerate(bins)]
    return np.concatenate([part[np.argsort(key, kind="stable")] for part, key in zip(bins, signed, strict=True)])


def _sort_bin_shuffle(
    order: IntArray, num_bins: int, lengths: npt.NDArray[Any], random: np.random.RandomState, *, inside: bool
) -> IntArray:
    """Bins of sequences of similar length in random order; ``inside`` shuffles within the bins too."""
    bins = _split(order[np.argsort(lengths[order], kind="stable")], num_bins)
    shuffled = []
    for i in random.permutation(num_bins):
        part = bins[i].copy()
        if inside:
            random.shuffle(part)
        shuffled.append(part)
    return np.concatenate(shuffled)


def _split(order: IntArray, num_bins: int) -> list[IntArray]:
    borders = [i * len(order) // num_bins for i in range(num_bins + 1)]
    return [order[start:end] for start, end in pairwise(borders)]


def partition(order: IntArray, num_parts: int, part: int) -> IntArray:
    """Cut ``order`` into ``num_parts`` consecutive parts, the first ones longer by one where it does not come out even.

    Args:
        order: corpus indices.
        num_parts: how many parts.
        part: which one, from 0.
    """
    size, rest = divmod(len(order), num_parts)
    start = part * size + min(part, rest)
    return order[start : start + size + (part < rest)]
