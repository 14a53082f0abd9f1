"""Search, symbolically: choosing labels, deciding between hypotheses. ``compiler.passes.expand_search`` gives them beams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from returnn_ir.errors import IRError
from returnn_ir.ops.spec import OpSpec, Scope, Trait, register
from returnn_ir.types import TensorType

__all__: list[str] = []

Types = Sequence[TensorType]
Attrs = dict[str, Any]


def _choice(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The labels of the best ``beam.size`` hypotheses, one step on.

    Operands: scores [..., classes] of the labels (log space, scaled), ended [...] (bool: hypotheses that had ended before
    this step keep their score and go on with label 0).
    ``normalize``, ``exponent``: an ended hypothesis' score is multiplied by ((i + 1) / i) ** exponent in step i, and in the
    end all are divided by the largest number of labels (RETURNN's length normalisation).
    """
    scores = types[0]
    if attrs["classes"] not in scores.dims or types[1].dtype != "bool":
        raise IRError(f"choice of {scores} with ended {types[1]}")
    return [TensorType("int64", scores.without([attrs["classes"]]).dims, attrs["classes"])]


def _decide(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Of the best hypothesis (by score; ``normalize``: by score per label); the operand itself where it has no beam."""
    return [types[0]]


def _beam_scores(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The scores of the hypotheses that the operand belongs to."""
    return [TensorType("float32", tuple(d for d in types[0].dims if d.is_batch))]


_EFFECT = frozenset({Trait.EFFECT})

register(
    OpSpec(
        "choice",
        2,
        {
            "classes": ...,
            "beam": ...,
            "normalize": True,
            "exponent": 1.0,
            "base_scale": 1.0,
            "keep_beams": False,
            "include_eos": False,
        },
        _choice,
        _EFFECT,
    )
)
register(OpSpec("decide", 1, {"normalize": False}, _decide))
register(OpSpec("beam_scores", 1, {}, _beam_scores))
