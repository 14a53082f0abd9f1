"""The scores that a choice works with: of one source or of several."""

from __future__ import annotations

import math
from collections.abc import Sequence

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import get_op
from returnn_ir.losses.framewise import log_probs

__all__ = ["combined_sources", "log_scores"]


def log_scores(b: LayerBuilder, input_type: str, x: LayerOutput) -> Value:
    """A source's scores in log space, as ``input_type`` says what it holds."""
    if input_type == "prob":
        return log_probs(b, x)
    if input_type == "logits":
        return b.op("log_softmax", x.value, dims=(b.require_feature(x),))
    return x.value


def combined_sources(
    b: LayerBuilder, input_type: str, sources: Sequence[LayerOutput], beams: Sequence[int]
) -> tuple[Value, Dim, list[Value]]:
    """Sums of scores of all combinations of each source's best labels.

    Returns:
        the sums [..., combinations], that dim (the last source fastest), and each source's best labels [..., beams[i]].
    """
    total: Value | None = None
    labels: list[Value] = []
    dims: list[Dim] = []
    for index, (x, size) in enumerate(zip(sources, beams, strict=True)):
        feature = b.require_feature(x)
        best = b.dim(f"best{index}", size)
        attrs = {"dim": feature, "k": best, "mask": False}
        scores, label = b.emit(get_op("top_k"), [log_scores(b, input_type, x)], attrs)
        total = scores if total is None else b.add(total, scores)
        labels.append(b.op("set_sparse", label, sparse_dim=None))
        dims.append(best)
    if total is None:
        raise IRError("no sources")
    combined = b.dim("combinations", math.prod(map(b.size, dims)), feature=True)
    return b.op("merge", total, dims=tuple(dims), out=combined), combined, labels
