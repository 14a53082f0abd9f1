"""A traced tensor as RETURNN's ``Data``: the layer's source, and what code may ask of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from returnn_ir.axes.output import LayerOutput
from returnn_ir.errors import UnsupportedError
from returnn_ir.expression.numbered import Numbered
from returnn_ir.expression.sizes import Size
from returnn_ir.expression.trace import traceable
from returnn_ir.facade.network import ProgramFacts
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.hypotheses import beam_of
from returnn_ir.ir.mode import Mode

if TYPE_CHECKING:
    from returnn_ir.expression.tracer import Tracer

__all__ = ["TracedSource", "traced_facts"]


def traced_facts(b: Tracer) -> ProgramFacts[Numbered]:
    """What code that is traced may ask of its program."""
    layers = b.network_layers()
    return ProgramFacts(
        options=b.config_options,
        rebind=lambda value: traceable(b, value),
        step=lambda: Numbered(b, b.train_step(), ()),
        rec_step=layers.rec_step,
        layers=layers,
        train_flag=b.training,
        training=b.training,
        searching=b.searching,
        evaluating=b.mode != Mode.FORWARD,
    )


class TracedSource:
    """A source over the axes that an expression counts, see :class:`returnn_ir.facade.source.Source`.

    Args:
        output: the source.
        tensor: its value.
        special: an output whose batch, time and feature axes are those of ``tensor``.
    """

    def __init__(self, b: Tracer, output: LayerOutput, tensor: Numbered, special: LayerOutput) -> None:
        self._b = b
        self._output = output
        self._special = special
        self.tensor = tensor

    @property
    def sizes(self) -> tuple[int | None, ...]:
        """The static sizes."""
        return tuple(self.tensor.shape)

    @property
    def dims(self) -> tuple[Dim | None, ...]:
        """The axes."""
        return self.tensor.axes

    def _number(self, dim: Dim | None) -> int | None:
        return self.dims.index(dim) if dim is not None and dim in self.dims else None

    @property
    def batch_axis(self) -> int | None:
        """The number of the batch axis."""
        return self._number(self._special.batch_dim)

    @property
    def time_axis(self) -> int | None:
        """The number of the time axis."""
        return self._number(self._special.time_dim)

    @property
    def feature_axis(self) -> int | None:
        """The number of the feature axis."""
        return self._number(self._special.feature_dim)

    @property
    def dynamic_axes(self) -> list[int]:
        """The axes with lengths."""
        return [i for i, d in enumerate(self.dims) if d is not None and d.is_dynamic]

    @property
    def feature_size(self) -> int | None:
        """The number of features, or of labels."""
        found = self._output.feature_or_sparse_dim
        return found.size if found is not None else None

    @property
    def sparse_dim(self) -> Dim | None:
        """What labels number."""
        return self._output.sparse_dim

    @property
    def sparse(self) -> bool:
        """Whether these are labels."""
        return self._output.sparse_dim is not None

    @property
    def dtype(self) -> str:
        """The element type's name."""
        return self._output.dtype

    def find(self, description: object) -> list[int]:
        """The axes that a description names, those that only broadcast left out."""
        found = (self._number(d) for d in self._b.axes(self._special, description, "eval"))
        return [n for n in found if n is not None]

    def _dim(self, axis: int) -> Dim:
        dim = self.dims[axis]
        if dim is None:
            raise UnsupportedError(f"the lengths of axis {axis}, which only broadcasts")
        return dim

    def lengths(self, axis: int) -> Numbered:
        """Those of an axis, [B] int32."""
        length = self._b.cast(self._b.length(self._dim(axis)), "int32")
        return Numbered(self._b, length, length.dims)

    def extent(self, axis: int) -> Size:
        """The size of an axis in memory."""
        return Size(self._b, self._dim(axis))

    def mask(self, axis: int) -> Numbered:
        """True on the valid frames, batch and axis in their order."""
        mask = self._b.mask(self._dim(axis))
        return Numbered(self._b, mask, [d for d in self.dims if d in mask.dims])

    def broadcast_mask(self, axis: int) -> Numbered:
        """True on the valid frames, over all axes."""
        mask = self._b.mask(self._dim(axis))
        return Numbered(self._b, mask, [d if d in mask.dims else None for d in self.dims])

    def in_order(self, order: Sequence[int]) -> TracedSource:
        """The axes in another order."""
        moved = Numbered(self._b, self.tensor.value, [self.dims[i] for i in order])
        return TracedSource(self._b, self._output, moved, self._special)

    def decided_score(self) -> Numbered:
        """The score of the hypothesis that was decided on, [B, 1]."""
        if beam_of(self._output.value) is not None:
            raise UnsupportedError("the scores of all hypotheses; the layer choice_get_beam_scores gives them")
        score = self._b.op("beam_scores", self._output.value)
        return Numbered(self._b, score, [*score.dims, None])
