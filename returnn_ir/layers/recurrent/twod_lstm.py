"""The layer twod_lstm: an LSTM over the grid of source and target frames.

Bahar, Zeyer, Schlüter and Ney, "On using 2D sequence-to-sequence models for speech recognition" (ICASSP 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.initializers import Init, option_init
from returnn_ir.construct.layer_builder import LayerBuilder
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.expression.numbered import copy_of_dim
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.op import get_op
from returnn_ir.network.layer_options import LayerOptions
from returnn_ir.network.layer_registry import layer
from returnn_ir.options import option_class

__all__: list[str] = []

#: Blocks of the gates: input, forget, how much of the state above counts, output, cell input.
_BLOCKS = 5


@option_class
class TwoDLSTMOptions(LayerOptions):
    """Options of ``twod_lstm``.

    Attributes:
        pooling: what becomes of a row of the grid: its last frame, or the maximum, mean or weighted sum of its frames.
        unit_opts: there are none.
        forward_weights_init: initial value of all matrices, unless the next one is given.
        recurrent_weights_init: initial value of all matrices.
        bias_init: without effect: there is no bias.
    """

    pooling: Literal["last", "max", "average", "weighted"] = "last"
    unit_opts: dict[str, Any] | None = None
    forward_weights_init: Init | None = None
    recurrent_weights_init: Init | None = None
    bias_init: Init | None = None


@layer("twod_lstm", options=TwoDLSTMOptions, sources="many", variable_scope="rec-twod", recurrent=True)
def twod_lstm(b: LayerBuilder, opt: TwoDLSTMOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    """A row of cells over the first source's frames for each frame, or step of the loop, of the second one.

    Each cell sees the one on its left and the one of the row above; the result is [target time, batch, features].
    """
    source, source_time, target = _checked(b, opt, sources)
    time = target.time_dim
    grid = _grid(b, opt, source, source_time, target)
    if time is None:
        return _step(b, grid)

    def row(number: Value, above: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
        outputs, states = grid.row(slices[0], above[0], above[1])
        return [outputs, states], [grid.pooled(outputs, slices[1])]

    nothing = grid.nothing()
    _, (value,) = b.loop(time, [nothing, nothing], [grid.from_target, target.value], row)
    return LayerOutput(value, (time, *grid.rest, grid.out), time, grid.out)


def _checked(
    b: LayerBuilder, opt: TwoDLSTMOptions, sources: Sequence[LayerOutput]
) -> tuple[LayerOutput, Dim, LayerOutput]:
    """The source and its time axis, which the target has not, and the target."""
    if opt.unit_opts:
        raise ConfigError("the unit of twod_lstm has no options", where=b.place("unit_opts"), received=opt.unit_opts)
    if len(sources) != 2:
        raise ConfigError(
            "twod_lstm runs over two sequences",
            where=b.place("from"),
            expected="two sources, like ['base:encoder', 'target_embed']",
            received=len(sources),
        )
    source, target = sources
    time = source.time_dim
    if time is None:
        raise DimError("the first source has no time axis", where=b.place("from"), received=source.value.type)
    if target.time_dim is None and not b.in_loop:
        raise DimError(
            "the second source has no time axis, and the layer is in no loop",
            where=b.place("from"),
            received=target.value.type,
        )
    if target.time_dim is not time:
        return source, time, target
    own = copy_of_dim(b, time, "source")  # the frames of one sequence in both directions of the grid
    return source.with_axes(b.rename(source.value, (time, own)), {time: (own,)}), own, target


@dataclass(frozen=True)
class _Grid:
    """The cells of a layer.

    Attributes:
        time: of the source, along a row.
        rest: the axes besides time and features, the batch above all.
        from_source, from_target: what either source gives to the gates.
        left, above: matrices [state, gates] for the output of the cell on the left and for that of the row above.
        attention: for pooling by weights, a matrix [features of the target, out].
        target_feature: its rows.
    """

    b: LayerBuilder
    pooling: str
    time: Dim
    rest: tuple[Dim, ...]
    out: Dim
    state: Dim
    gates: Dim
    from_source: Value
    from_target: Value
    target: Value
    target_feature: Dim
    left: Value
    above: Value
    attention: Value | None

    def nothing(self) -> Value:
        """What is above the first row."""
        return self.b.expand(self.b.const(0.0), self.time, *self.rest, self.out)

    def row(self, from_target: Value, outputs: Value, states: Value) -> tuple[Value, Value]:
        """Outputs and states of a row, [time, rest, out], from those of the row above."""
        b = self.b
        given = b.add(b.add(self.from_source, from_target), self._times(outputs, self.above))

        def cell(number: Value, before: list[Value], slices: list[Value]) -> tuple[list[Value], list[Value]]:
            output, state = before
            following = self._cell(b.add(slices[0], self._times(output, self.left)), state, slices[1])
            return following, following

        start = b.expand(b.const(0.0), *self.rest, self.out)
        _, (outputs, states) = b.loop(self.time, [start, start], [given, states], cell)
        return b.mask_tails(outputs, [self.time], 0.0), b.mask_tails(states, [self.time], 0.0)

    def _times(self, output: Value, weights: Value) -> Value:
        return self.b.dot(self.b.rename(output, (self.out, self.state)), weights, self.state)

    def _cell(self, z: Value, state: Value, state_above: Value) -> list[Value]:
        b = self.b
        outs = tuple(Dim(f"{self.gates.name}{i}", self.out.size) for i in range(_BLOCKS))
        parts = _sections(b, z, self.gates, outs)
        blocks = [b.rename(part, (own, self.out)) for part, own in zip(parts, outs, strict=True)]
        enters, keeps, share, leaves = (b.unary("sigmoid", block) for block in blocks[:-1])
        mixed = b.add(b.mul(share, state_above), b.mul(b.sub(1.0, share), state))
        following = b.add(b.mul(enters, b.unary("tanh", blocks[-1])), b.mul(keeps, mixed))
        return [b.mul(leaves, b.unary("tanh", following)), following]

    def pooled(self, outputs: Value, target: Value) -> Value:
        """A row as one vector; the zeros behind a sequence's end count for maximum and weights, as RETURNN has it."""
        b, mask = self.b, self.b.program.masks_tails
        if self.pooling == "last":
            return b.op("gather", outputs, b.maximum(b.sub(b.length(self.time), 1), 0), dim=self.time)
        if self.attention is None:
            average = self.pooling == "average"
            return b.reduce("mean" if average else "max", outputs, self.time, mask=average or mask)
        query = b.dot(target, self.attention, self.target_feature)
        weights = b.op("softmax", b.dot(query, outputs, self.out), dims=(self.time,), mask=mask)
        return b.dot(weights, outputs, self.time, mask=mask)


def _grid(b: LayerBuilder, opt: TwoDLSTMOptions, source: LayerOutput, time: Dim, target: LayerOutput) -> _Grid:
    out = b.out_feature_dim()
    features = b.require_feature(source), b.require_feature(target)
    sizes = [b.size(feature) for feature in features]
    own = tuple(b.dim(f"from{i}", size, feature=True) for i, size in enumerate(sizes))
    joined, gates = b.dim("from", sum(sizes)), b.dim("gates", _BLOCKS * b.size(out))
    state = b.dim("state", out.size)
    init = option_init(opt, "recurrent_weights_init") or option_init(opt, "forward_weights_init") or "glorot_uniform"
    blocks = {gates: [b.size(out)] * _BLOCKS}
    left, above = (b.param(name, (state, gates), init) for name in ("Vh_re", "Vv_re"))
    weights = _sections(b, b.param("W_re", (joined, gates), init, splits=blocks), joined, own)
    given = [
        b.dot(b.rename(x.value, (feature, dim)), w, dim)
        for x, feature, dim, w in zip((source, target), features, own, weights, strict=True)
    ]
    attention = b.param("W_att", (own[1], out), init) if opt.pooling == "weighted" else None
    taken = (time, target.time_dim, *features)
    rest = tuple(dict.fromkeys(d for d in (*target.axes, *source.axes) if d not in taken))
    return _Grid(
        b=b,
        pooling=opt.pooling,
        time=time,
        rest=rest,
        out=out,
        state=state,
        gates=gates,
        from_source=given[0],
        from_target=given[1],
        target=target.value,
        target_feature=features[1],
        left=left,
        above=above,
        attention=None if attention is None else b.rename(attention, (own[1], features[1])),
    )


def _sections(b: LayerBuilder, x: Value, dim: Dim, outs: tuple[Dim, ...]) -> list[Value]:
    """The parts of an axis, each along one of ``outs``."""
    return b.emit(get_op("sections"), [x], {"dim": dim, "outs": outs})


def _step(b: LayerBuilder, grid: _Grid) -> LayerOutput:
    """One row in a step of a loop."""
    with b.outside_loop():
        nothing = grid.nothing()
    above = [b.loop_state(key, nothing) for key in ("output", "state")]
    outputs, states = grid.row(grid.from_target, *above)
    b.set_loop_state("output", outputs)
    b.set_loop_state("state", states)
    return LayerOutput(grid.pooled(outputs, grid.target), (*grid.rest, grid.out), None, grid.out)
