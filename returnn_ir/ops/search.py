"""Search, symbolically: choosing labels, deciding between hypotheses.

``compiler.passes.search.expand_search`` gives them beams. In front of that pass no value
has an axis of hypotheses, and every op here is one of a single hypothesis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from returnn_ir.errors import IRError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.op import OpSpec, Scope, Trait, register
from returnn_ir.ir.signature import DIM, Attr
from returnn_ir.ir.types import TensorType

if TYPE_CHECKING:
    from returnn_ir.ir.graph import Node

__all__ = ["searches"]

Types = Sequence[TensorType]
Attrs = dict[str, Any]


def searches(node: Node) -> bool:
    """Whether a node is a loop that has hypotheses."""
    return node.op.name == "loop" and any(
        n.op.name == "choice" or (n.op.name == "follow" and n.attrs["beam"] is not None) for n in node.regions[0].nodes
    )


def _choice(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The labels of the best ``beam.size`` hypotheses, one step on.

    Operands: scores [..., classes] of the labels (log space, scaled), ended [...] (bool: hypotheses that had ended
    before this step keep their score and go on with label 0), with ``cheating`` the true label [...] that is kept in
    the beam (``exclusive``: only once), and what a nested region reads of the hypotheses before this choice.
    ``normalize``, ``exponent``: an ended hypothesis' score is multiplied by ((i + 1) / i) ** exponent in step i, and in
    the end all are divided by the largest number of labels (RETURNN's length normalisation); with ``independent`` by
    the number of steps, in the same power, so that nothing depends on the other sequences of the batch.
    ``keep_beams``: every hypothesis has its own successors. ``gumbel``: scale of the noise that is added to the scores.
    A nested region, if there is one, combines scores: its parameters are the step's scores [..., base, classes], the
    hypotheses' scores [..., base], the step, who has ended [..., base], ``base`` being the beam before this choice, and
    the further operands [..., base, ...].
    """
    scores = types[0]
    if attrs["classes"] not in scores.dims or types[1].dtype != "bool":
        raise IRError(f"choice of {scores} with ended {types[1]}")
    return [TensorType("int64", scores.without([attrs["classes"]]).dims, attrs["classes"])]


def _follow(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """A value that is not searched for: the hypotheses go on with it.

    Operands: the value and, where it adds to the hypotheses' scores, its score. ``beam``: a beam of its own (of size
    1), else that of the hypotheses so far.
    """
    return [types[0]]


def _same(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    return [types[0]]


def _beam_scores(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The scores of the hypotheses that the operand belongs to."""
    return [TensorType("float32", tuple(d for d in types[0].dims if d.is_batch))]


def _source_beams(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """Which hypotheses before its choice those of the operand come from."""
    return [TensorType("int64", tuple(d for d in types[0].dims if d.is_batch))]


def _split_beam(scope: Scope, types: Types, attrs: Attrs) -> list[TensorType]:
    """The hypotheses as an ordinary axis ``out``."""
    x = types[0]
    return [TensorType(x.dtype, (*x.dims, attrs["out"]), x.sparse_dim)]


_X = ("x",)
_SEARCH = frozenset({Trait.SEARCH})
_EFFECT = _SEARCH | {Trait.EFFECT}

register(
    OpSpec(
        "choice",
        ("scores", "ended", "further*"),
        {
            "classes": DIM,
            "beam": DIM,
            "base": Attr(Dim | None, None),
            "normalize": Attr(bool, True),
            "exponent": Attr(float, 1.0),
            "base_scale": Attr(float, 1.0),
            "gumbel": Attr(float, 0.0),
            "path": Attr(str, ""),
            "keep_beams": Attr(bool, False),
            "cheating": Attr(Literal["any", "exclusive"] | None, None),
            "include_eos": Attr(bool, False),
            "independent": Attr(bool, False),
        },
        _choice,
        _EFFECT,
    )
)
_FOLLOW = {"beam": Attr(Dim | None, None), "base_scale": Attr(float, 1.0)}
register(OpSpec("follow", ("x", "score?"), _FOLLOW, _follow, _EFFECT | {Trait.MOVES}))
#: The value of the best hypothesis (by score; ``normalize``: by score per label).
register(OpSpec("decide", _X, {"normalize": Attr(bool, False)}, _same, _SEARCH | {Trait.MOVES}))
register(OpSpec("beam_scores", _X, {}, _beam_scores, _SEARCH))
register(OpSpec("source_beams", _X, {}, _source_beams, _SEARCH))
register(OpSpec("split_beam", _X, {"out": DIM}, _split_beam, _SEARCH | {Trait.MOVES}))
#: The first operand, one for each hypothesis of the second.
register(OpSpec("like_beam", ("x", "like"), {}, _same, _SEARCH | {Trait.MOVES}))
#: In a loop: of the hypotheses of each step, whatever becomes of them in later steps; all operands over the same ones.
register(OpSpec("step_beam", ("values+",), {}, lambda scope, types, attrs: list(types), _SEARCH))
#: The sum over hypotheses.
register(OpSpec("sum_beam", _X, {}, _same, _SEARCH))
