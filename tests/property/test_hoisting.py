"""Random recurrent subnetworks: what leaves the loop computes what it computed in it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from compiler.passes.base import Context, run_pass
from compiler.passes.loops.history_to_carry import HistoryToCarry
from compiler.program.program import compile_net
from compiler.reference.target import ReferenceTarget
from compiler.target.protocol import Array
from returnn_ir import load
from returnn_ir.construct.construct import construct
from returnn_ir.errors import UserError
from returnn_ir.ir.graph import Graph
from returnn_ir.text.verify import verify
from tests.filecheck import RefusingTarget

SIZE = 3
EXTERN = {"data": {"dim": SIZE}, "memory": {"dim": SIZE}}
Layer = dict[str, Any]


@dataclass
class RandomUnit:
    """The dict of a rec unit; ``choose(n)`` gives a number below n."""

    choose: Callable[[int], int]
    names: list[str] = field(default_factory=list)

    def grow(self, count: int) -> dict[str, Layer]:
        """Layers l0, l1, ... and the output, every one of which may read the previous step of every other."""
        unit: dict[str, Layer] = {}
        self.every = [f"l{i}" for i in range(count)]
        rules = [self.linear, self.linear, self.combine, self.evaluate, self.cell, self.cumsum, self.embed, self.step]
        rules += [self.attend, self.look_back, self.embed, self.linear, self.smallest, self.nested, self.smooth]
        for name in self.every:
            unit.update(rules[self.choose(len(rules))](name))
            unit[name]["is_output_layer"] = True
            if self.choose(4) == 0:
                unit[name]["need_last"] = True
            self.names.append(name)
        unit["output"] = {"class": "copy", "from": self.names[-1]}
        return unit

    def source(self) -> str:
        kind = self.choose(8)
        if kind < 2:
            return "data:source"
        if kind < 4:
            return f"prev:{self.every[self.choose(len(self.every))]}"
        if kind == 4:
            return "base:summary"
        return self.names[-1 - self.choose(min(2, len(self.names)))] if self.names else "data:source"

    def linear(self, name: str) -> dict[str, Layer]:
        sources = [self.source() for _ in range(1 + self.choose(3))]
        activation = (None, "tanh", "relu")[self.choose(3)]
        return {name: {"class": "linear", "n_out": SIZE, "activation": activation, "from": sources}}

    def combine(self, name: str) -> dict[str, Layer]:
        kind = ("add", "mul", "average")[self.choose(3)]
        return {name: {"class": "combine", "kind": kind, "from": [self.source(), self.source()]}}

    def evaluate(self, name: str) -> dict[str, Layer]:
        text = "tf.tanh(source(0)) * 0.5 + source(1)"
        return {name: {"class": "eval", "eval": text, "from": [self.source(), self.source()]}}

    def cell(self, name: str) -> dict[str, Layer]:
        unit = ("LSTMBlock", "GRUCell")[self.choose(2)]
        return {name: {"class": "rnn_cell", "unit": unit, "n_out": SIZE, "from": [self.source()]}}

    def cumsum(self, name: str) -> dict[str, Layer]:
        return {name: {"class": "cumsum", "from": self.source(), "axis": "T"}}

    def embed(self, name: str) -> dict[str, Layer]:
        source = self.source()
        # what is applied to zeros must not start with what is applied to zeros
        initial = (0.0, 1.0, "var", "apply(0)")[self.choose(4 if ":" in source and "prev:" not in source else 3)]
        layer = {"class": "linear", "n_out": SIZE, "activation": "tanh", "from": source}
        return {name: {**layer, "initial_output": initial}}

    def step(self, name: str) -> dict[str, Layer]:
        text = "source(0) * tf.cast(source(1) + 1, tf.float32) * 0.2"
        return {name: {"class": "eval", "eval": text, "from": [self.source(), ":i"]}}

    def attend(self, name: str) -> dict[str, Layer]:
        """Over another sequence, or over the one that the loop runs over."""
        base = ("base:memory", "base:encoder")[self.choose(2)]
        return {
            f"{name}_energy": {
                "class": "dot",
                "from": [base, self.source()],
                "reduce": "F",
                "add_var2_if_empty": False,
            },
            f"{name}_weights": {"class": "softmax_over_spatial", "from": f"{name}_energy"},
            name: {"class": "generic_attention", "base": base, "weights": f"{name}_weights", "auto_squeeze": True},
        }

    def look_back(self, name: str) -> dict[str, Layer]:
        options = {"num_heads": 1, "total_key_dim": 2, "n_out": SIZE, "attention_left_only": True}
        return {name: {"class": "self_attention", "from": self.source(), **options}}

    def smallest(self, name: str) -> dict[str, Layer]:
        sources = [self.source(), self.source()]
        return {
            f"{name}_less": {"class": "compare", "kind": "less", "from": sources},
            name: {"class": "switch", "condition": f"{name}_less", "true_from": sources[0], "false_from": sources[1]},
        }

    def nested(self, name: str) -> dict[str, Layer]:
        """A loop over another sequence in each step."""
        add = {"class": "combine", "kind": "add", "from": ["data:source", "base:" + self.source_inside()]}
        inner = {
            "x": add,
            "output": {"class": "linear", "n_out": SIZE, "activation": "tanh", "from": ["x", "prev:output"]},
        }
        return {
            f"{name}_rec": {"class": "rec", "from": "base:memory", "unit": inner},
            name: {"class": "reduce", "mode": "mean", "axis": "T", "from": f"{name}_rec"},
        }

    def source_inside(self) -> str:
        """Something of the loop, from within the loop inside of it."""
        return self.source().replace("data:source", "prev:l0")

    def smooth(self, name: str) -> dict[str, Layer]:
        return {name: {"class": "layer_norm", "from": self.source()}}


def _network(unit: Mapping[str, Layer], *, hoist: bool) -> dict[str, Layer]:
    network: dict[str, Layer] = {
        "encoder": {"class": "linear", "n_out": SIZE, "activation": "tanh", "from": "data"},
        "memory": {"class": "linear", "n_out": SIZE, "activation": None, "from": "data:memory"},
        "summary": {"class": "reduce", "mode": "mean", "axis": "T", "from": "memory"},
        "loop": {"class": "rec", "from": "encoder", "unit": dict(unit), "optimize_move_layers_out": hoist},
        "output": {"class": "copy", "from": "loop"},
    }
    for name, layer in unit.items():
        if layer.get("need_last"):
            network[f"last_{name}"] = {"class": "rec_last_output", "rec_layer": "loop", "sub_layer_name": name}
    return network


def _load(network: Mapping[str, Any], folder: Path) -> Any:
    file = folder / "net.py"
    file.write_text(f"behavior_version = 12\nextern_data = {EXTERN!r}\nnetwork = {dict(network)!r}\n")
    return load(file)


def _inputs(lengths: list[int]) -> dict[str, Array]:
    rng = np.random.default_rng(3)
    other = [2, 4, 1][: len(lengths)]
    return {
        "data": rng.normal(size=(len(lengths), max(lengths), SIZE)).astype("float32"),
        "data/size1": np.asarray(lengths),
        "memory": rng.normal(size=(len(lengths), max(other), SIZE)).astype("float32"),
        "memory/size1": np.asarray(other),
    }


def _valid(graph: Graph, results: Mapping[str, Array], lengths: list[int]) -> dict[str, Array]:
    """The results with zeros behind the ends of sequences; every time axis is the loop's."""
    found = {}
    for name, output in graph.outputs.items():
        array = results[f"output/{name}"]
        if output.time_dim is not None and output.time_dim in output.axes:
            # in the loop's output time comes before the batch, which may be missing
            mask = np.arange(array.shape[0])[:, None] < np.asarray(lengths)[None, :]
            batch = [i for i, d in enumerate(output.axes) if d.is_batch]
            shape = [n if i in (0, *batch) else 1 for i, n in enumerate(array.shape)]
            array = np.where((mask if batch else mask.any(axis=1)).reshape(shape), array, 0)
        found[name] = array
    return found


def _fetched(unit: Mapping[str, Layer]) -> list[str]:
    names = [f"loop/{name}" for name, layer in unit.items() if layer.get("is_output_layer")]
    return ["loop", *names, *(f"last_{name}" for name, layer in unit.items() if layer.get("need_last"))]


def _check(unit: Mapping[str, Layer], lengths: list[int], *, exported: bool = False) -> None:
    fetch, inputs = _fetched(unit), _inputs(lengths)
    with tempfile.TemporaryDirectory() as name:
        hoisted, kept = (_load(_network(unit, hoist=hoist), Path(name)) for hoist in (True, False))
    try:
        program = compile_net(hoisted, target="reference", mode="eval", fetch=fetch)
    except UserError:  # the type of a layer leads back to nothing but itself
        reject()
    rng = np.random.default_rng(5)
    params = {k: 0.5 * rng.normal(size=v.shape).astype(v.dtype) for k, v in program.initial_params().items()}
    received = _valid(program.graph, program.run(inputs, params), lengths)

    named = construct(kept, "eval", fetch).graph
    run_pass(HistoryToCarry(), named, Context(RefusingTarget()))
    verify(named)
    expected = _valid(named, ReferenceTarget().lower(named).run(inputs, params), lengths)
    whole = compile_net(kept, target="reference", mode="eval", fetch=fetch)
    others = [received, _valid(whole.graph, whole.run(inputs, params), lengths)]
    if exported:
        onnx = compile_net(hoisted, target="onnx", mode="eval", fetch=fetch)
        others.append(_valid(onnx.graph, onnx.run(inputs, params), lengths))
    for values in others:
        for layer, array in expected.items():
            np.testing.assert_allclose(
                values[layer], array, rtol=1e-3, atol=1e-4, err_msg=f"{layer}\n{unit}\n{program.journal}"
            )


def _check_gradients(unit: Mapping[str, Layer], lengths: list[int]) -> None:
    """Whatever has left the loop; in the loop by the hand-made backward; and by TensorFlow's own."""
    inputs, found = _inputs(lengths), []
    for hoist, own in ((True, True), (False, True), (False, False)):
        network = _network(unit, hoist=hoist)
        network["output"] = {"class": "eval", "eval": "tf.sin(source(0))", "from": "loop", "loss": "as_is"}
        with tempfile.TemporaryDirectory() as name:
            net = _load(network, Path(name))
        with pytest.MonkeyPatch.context() as patched:
            if not own:
                patched.setattr("compiler.tensorflow.control.can_compute_again", lambda region: False)
            try:
                program = compile_net(net, target="tf", mode="train", fetch=["output"])
            except UserError:  # the type of a layer leads back to nothing but itself
                reject()
            # in an order of its own, because the graphs have the parameters in different ones
            rng, initial = np.random.default_rng(5), sorted(program.initial_params().items())
            params = {k: 0.5 * rng.normal(size=v.shape).astype(v.dtype) for k, v in initial}
            found.append(program.gradients(inputs, params))
    *others, expected = found
    for gradients in others:
        assert gradients.keys() <= expected.keys()
        for key, gradient in expected.items():
            # what the objective does not depend on has no gradient, or (by TensorFlow) one of zeros
            received = gradients.get(key, np.zeros_like(gradient))
            scale = max(1.0, float(np.abs(gradient).max()))
            np.testing.assert_allclose(received, gradient, atol=1e-3 * scale, err_msg=f"{key}\n{unit}")


def _draw(data: st.DataObject, count: int) -> tuple[dict[str, Layer], list[int]]:
    unit = RandomUnit(lambda n: data.draw(st.integers(0, n - 1))).grow(count)
    lengths = data.draw(st.sampled_from([[4, 1, 3], [1], [2, 5], [1, 1]]))
    return unit, lengths


_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=20, deadline=None, suppress_health_check=_QUIET)
@given(st.data())
def test_hoisting_keeps_the_meaning(data: st.DataObject) -> None:
    _check(*_draw(data, 4))


@settings(max_examples=3, deadline=None, suppress_health_check=_QUIET)
@given(st.data())
def test_hoisting_keeps_the_meaning_in_onnx(data: st.DataObject) -> None:
    _check(*_draw(data, 3), exported=True)


@settings(max_examples=3, deadline=None, suppress_health_check=_QUIET)
@given(st.data())
def test_gradients_of_loops(data: st.DataObject) -> None:
    _check_gradients(*_draw(data, 3))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=_QUIET)
@given(st.data())
def test_gradients_of_many_loops(data: st.DataObject) -> None:
    _check_gradients(*_draw(data, 5))


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=_QUIET)
@given(st.data())
def test_hoisting_keeps_the_meaning_of_many(data: st.DataObject) -> None:
    _check(*_draw(data, 6), exported=data.draw(st.integers(0, 9)) == 0)
