"""``tf.reshape``: the axes of a tensor are taken apart, and joined to those of the new shape, in their order."""

from __future__ import annotations

from collections.abc import Sequence

from returnn_ir.errors import UnsupportedError
from returnn_ir.expression.numbered import Numbered
from returnn_ir.expression.sizes import Size
from returnn_ir.ir.dims import Dim, Polynomial, product

__all__ = ["factors", "reshaped"]


def reshaped(x: Numbered, entries: Sequence[object]) -> Numbered:
    """The tensor in another shape.

    Args:
        entries: sizes of axes, numbers, and at most one -1, which is what the others leave.

    Raises:
        UnsupportedError: a ragged axis would be joined or split, or the shape is not known to fit.
    """
    kept = _kept(x, entries)
    return _Parts(x).grouped(entries) if kept is None else kept


def _kept(x: Numbered, entries: Sequence[object]) -> Numbered | None:
    """Axes of size one put in or taken out; None: that does not suffice."""
    own = [d for d in x.axes if d is not None]
    axes: list[Dim | None] = []
    for entry in entries:
        if isinstance(entry, int) and entry == 1:
            axes.append(None)
            continue
        dim = own.pop(0) if own else None
        known = entry.dim is dim if isinstance(entry, Size) else isinstance(entry, int) and dim is not None
        if not known or (isinstance(entry, int) and entry != -1 and dim is not None and entry != dim.size):
            return None
        axes.append(dim)
    return None if own else Numbered(x.b, x.value, axes)


class _Parts:
    """A tensor whose axes are products no more."""

    def __init__(self, x: Numbered) -> None:
        self._b = x.b
        self._value = x.value
        self._parts: list[Dim] = []
        for dim in x.axes:
            if dim is None:
                continue
            found = factors(dim)
            if len(found) > 1 and not all(d.is_static or d.is_batch for d in found):
                raise _not_known()
            if len(set(found)) < len(found):
                raise _not_known()
            if len(found) > 1:
                self._value = self._b.op("split", self._value, dim=dim, outs=tuple(found))
            self._parts.extend(found)

    def grouped(self, entries: Sequence[object]) -> Numbered:
        """The parts joined to the axes of the new shape."""
        rest = [i for i, entry in enumerate(entries) if isinstance(entry, int) and entry == -1]
        if len(rest) > 1:
            raise _not_known()
        at = rest[0] if rest else len(entries)
        front = [self._take(entry, first=True) for entry in entries[:at]]
        back = [self._take(entry, first=False) for entry in reversed(entries[at + 1 :])][::-1]
        left, self._parts = self._parts, []
        if left and not rest:
            raise _not_known()
        groups = [*front, *([left] if rest else []), *back]
        axes = [self._joined(group) for group in groups]
        return Numbered(self._b, self._value, axes)

    def _take(self, entry: object, *, first: bool) -> list[Dim]:
        """The parts that make one axis of the new shape, from the front or from the back of those that are left."""
        if isinstance(entry, Size):
            wanted = factors(entry.dim)
            found = self._parts[: len(wanted)] if first else self._parts[len(self._parts) - len(wanted) :]
            if found != wanted:
                raise _not_known()
            self._drop(len(wanted), first=first)
            return found
        if not isinstance(entry, int) or entry < 1:
            raise _not_known()
        taken: list[Dim] = []
        count = 1
        while count != entry:
            dim = self._split_off(entry // count if entry % count == 0 else 0, first=first)
            taken.insert(len(taken) if first else 0, dim)
            count *= dim.size or 0
        return taken

    def _drop(self, count: int, *, first: bool) -> None:
        self._parts = self._parts[count:] if first else self._parts[: len(self._parts) - count]

    def _split_off(self, wanted: int, *, first: bool) -> Dim:
        """The next part, or as much of it as is ``wanted``."""
        dim = (self._parts[0] if first else self._parts[-1]) if self._parts else None
        size = dim.size if dim is not None else None
        if dim is None or not size or not wanted or (wanted % size and size % wanted):
            raise _not_known()
        self._drop(1, first=first)
        if size <= wanted:
            return dim
        own, rest = Dim("part", wanted), Dim("rest", size // wanted)
        outs = (own, rest) if first else (rest, own)
        self._value = self._b.op("split", self._value, dim=dim, outs=outs)
        self._parts.insert(0 if first else len(self._parts), rest)
        return own

    def _joined(self, parts: Sequence[Dim]) -> Dim | None:
        if len(parts) < 2:
            return parts[0] if parts else None
        if not all(d.is_static or d.is_batch for d in parts):
            raise _not_known()
        out = product(parts)
        self._value = self._b.op("merge", self._value, dims=tuple(parts), out=out)
        return out


def _not_known() -> UnsupportedError:
    return UnsupportedError("tf.reshape that merges or splits axes")


def factors(dim: Dim) -> list[Dim]:
    """The axes that ``dim`` was merged from, itself if it was not.

    >>> factors(Dim("H", 4) * Dim("F", 16)), factors(Dim("T") + 1)
    ([H(4), F(16)], [T+1(dynamic)])
    """
    if not isinstance(dim.expr, Polynomial) or len(dim.expr.terms) != 1:
        return [dim]
    ((monomial, coefficient),) = dim.expr.terms
    return list(monomial) if coefficient == 1 else [dim]
