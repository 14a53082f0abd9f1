"""What is known of the extents of axes in memory before a model runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from compiler.target.fixed_batch import FixedBatch
from returnn_ir.ir.dims import Dim

__all__ = ["Memory"]


@dataclass(frozen=True)
class Memory:
    """How long axes are.

    Attributes:
        sizes: of those that have one size in every run, whatever the lengths of the sequences are: no shape depends on
            an input.
        exact: the inputs that are never longer than their longest sequence; others are cut to it.
        trims: inputs come from a part whose axes have sizes; derived axes of them are cut to the longest, too.
        fixed: what every batch is padded to before it is fed.
    """

    sizes: Mapping[Dim, int] = field(default_factory=dict)
    exact: Collection[str] = ()
    trims: bool = False
    fixed: FixedBatch | None = None

    def size(self, dim: Dim) -> int | None:
        """The extent of an axis; None where it is known in a run only."""
        return dim.size if dim.size is not None else self.sizes.get(dim)

    def cuts(self, name: str, dim: Dim) -> bool:
        """Whether an axis of an input may be longer than its longest sequence."""
        return dim not in self.sizes and name not in self.exact
