"""Questions about a provider that decide how models are written for it: each is a small model and an answer."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from compiler.onnx.program import OnnxProgram
from compiler.program.program import Program, compile_net
from compiler.target.protocol import Array
from returnn_ir import load
from returnn_ir.errors import TargetError
from tests.gpu.half import Drift, drift, half_feeds, half_model
from tests.gpu.provider import CUDA, OnProvider, Placement, ProviderSession, seconds

__all__ = ["PROBES", "Answer", "Probe"]

LENGTHS = (7, 1, 4, 6)
HIDDEN, FEATURES = 8, 5
ROUNDS = 5
EXTERN: dict[str, dict[str, Any]] = {"data": {"dim": FEATURES}}


@dataclass(frozen=True)
class Answer:
    """What one probe found.

    Attributes:
        question: what was asked.
        ok: False if models that we write are wrong because of it; None where it is a fact to know.
        text: the answer for the table.
        numbers: the answer for a program.
    """

    question: str
    ok: bool | None
    text: str
    numbers: dict[str, Any] = field(default_factory=dict)
    placement: Placement = field(default_factory=Placement)
    half: Drift = ""

    def to_json(self) -> dict[str, Any]:
        """For the report."""
        found = {"question": self.question, "ok": self.ok, "answer": self.text, **self.numbers, "half": self.half}
        return {**found, **self.placement.to_json()}


Probe = Callable[[str], Iterator[Answer]]


# -------------------------------------------------------------------- ragged recurrent layers


def _raw_lstm(direction: str) -> tuple[Any, dict[str, Array]]:
    """An LSTM node [T, N, F] with lengths, and its inputs."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(1)
    count = 2 if direction == "bidirectional" else 1
    shapes = {"w": (count, 4 * HIDDEN, FEATURES), "r": (count, 4 * HIDDEN, HIDDEN)}
    weights = [numpy_helper.from_array(rng.standard_normal(s).astype(np.float32), n) for n, s in shapes.items()]
    node = helper.make_node("LSTM", ["x", "w", "r", "", "n"], ["y"], hidden_size=HIDDEN, direction=direction)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["T", "N", FEATURES])
    n = helper.make_tensor_value_info("n", TensorProto.INT32, ["N"])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["T", count, "N", HIDDEN])
    graph = helper.make_graph([node], "lstm", [x, n], [y], weights)
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 21)])
    inputs = {
        "x": rng.standard_normal((max(LENGTHS), len(LENGTHS), FEATURES)).astype(np.float32),
        "n": np.asarray(LENGTHS, np.int32),
    }
    return model, inputs


def ragged_node(provider: str) -> Iterator[Answer]:
    """Whether the LSTM node itself starts at the end of each sequence, or at that of the longest one."""
    for direction in ("forward", "reverse", "bidirectional"):
        model, feeds = _raw_lstm(direction)
        session = ProviderSession(model, provider)
        together = session.run(feeds)["y"]
        worst = 0.0
        for i, length in enumerate(LENGTHS):
            alone = session.run({"x": feeds["x"][:length, i : i + 1], "n": feeds["n"][i : i + 1]})["y"]
            worst = max(worst, float(np.abs(together[:length, :, i] - alone[:, :, 0]).max()))
        right = worst < 1e-4
        # our models have ragged forward and bidirectional nodes, and turn sequences around a forward one
        ok = None if direction == "reverse" else right
        text = "each sequence by its own length" if right else f"wrong on ragged batches, by up to {worst:.2g}"
        yield Answer(f"node LSTM, {direction}, ragged", ok, text, {"max_abs": worst})


def _network(rnn: Mapping[str, Any], *directions: int) -> dict[str, Any]:
    layers = {f"d{d}": {"class": "rec", "direction": d, "from": "data", "n_out": HIDDEN, **rnn} for d in directions}
    return {**layers, "output": {"class": "copy", "from": list(layers)}}


def ragged_layers(provider: str) -> Iterator[Answer]:
    """Recurrent layers as we write them, against the reference."""
    nets = {
        "layer LSTM, reverse, ragged": _network({"unit": "nativelstm2"}, -1),
        "layers LSTM, both directions, ragged": _network({"unit": "nativelstm2"}, 1, -1),
        "layer GRU, reverse, ragged": _network({"unit": "gru"}, -1),
        "layer LSTM as a loop, reverse, ragged": _network({"unit": "standardlstm"}, -1),
    }
    rng = np.random.default_rng(2)
    inputs = _inputs(rng, LENGTHS)
    for question, network in nets.items():
        fusion = {"lstm": "never"} if "loop" in question else {}
        program = _compiled(network, fusion=fusion)
        params = _params(program, rng)
        placed = OnProvider(_onnx(program), provider)
        received = placed.run(inputs, params)["output/output"]
        reference = _compiled(network, target="reference").run(inputs, params)["output/output"]
        batch_first = program.graph.outputs["output"].axes[0].is_batch
        worst = 0.0
        for i, length in enumerate(LENGTHS):
            frames = (i, slice(length)) if batch_first else (slice(length), i)
            worst = max(worst, float(np.abs(received[frames] - reference[frames]).max()))
        half = drift(placed.model, placed.feeds, placed.results, provider)
        text = "as the reference" if worst < 1e-4 else f"differs from the reference by up to {worst:.2g}"
        yield Answer(question, worst < 1e-4, text, {"max_abs": worst}, placed.placement, half)


# -------------------------------------------------------------------- top-k


def top_k_ties(provider: str) -> Iterator[Answer]:
    """Whether equal scores keep the order of their labels, as in a search on the CPU.

    Where they do not nothing is wrong: n-best lists are the same up to hypotheses of equal scores (docs/deployment.md).
    """
    from onnx import TensorProto, helper

    rng = np.random.default_rng(3)
    for labels, k in ((30, 4), (1000, 12), (120_000, 12), (5000, 600)):
        outputs = [
            helper.make_tensor_value_info("v", TensorProto.FLOAT, None),
            helper.make_tensor_value_info("i", TensorProto.INT64, None),
        ]
        inputs = [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", "V"]),
            helper.make_tensor_value_info("k", TensorProto.INT64, [1]),
        ]
        graph = helper.make_graph([helper.make_node("TopK", ["x", "k"], ["v", "i"])], "top_k", inputs, outputs)
        model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 21)])
        x = rng.integers(0, 5, (8, labels)).astype(np.float32)
        found = ProviderSession(model, provider).run({"x": x, "k": np.asarray([k], np.int64)})["i"]
        expected = np.argsort(-x, axis=1, kind="stable")[:, :k]
        wrong = int((found != expected).sum())
        text = "lowest label first" if not wrong else f"{wrong} of {expected.size} in another order"
        numbers = {"misplaced": wrong, "entries": expected.size}
        yield Answer(f"TopK {k} of {labels}, ties", None if wrong else True, text, numbers)


# -------------------------------------------------------------------- cost of a step


def _step(
    session: ProviderSession, program: Program, rng: np.random.Generator, batch: int, frames: tuple[int, int]
) -> tuple[float, float]:
    """Seconds of one step, from two lengths, and of the run with the longer one."""
    times = []
    for length in frames:
        feeds = _onnx(program).feeds(session.session, _inputs(rng, (length,) * batch))
        times.append(seconds(partial(session.run, feeds), ROUNDS))
    return (times[1] - times[0]) / (frames[1] - frames[0]), times[1]


def loop_step(provider: str) -> Iterator[Answer]:
    """Microseconds of one step of an LSTM written as a loop: what is left when two lengths are compared."""
    hidden, batch, short, long = 256, 16, 32, 256
    network = {"output": {"class": "rec", "unit": "nativelstm2", "n_out": hidden, "from": "data"}}
    for fused, what in ((True, "as a node"), (False, "as a loop")):
        program = _compiled(network, fusion={} if fused else {"lstm": "never"})
        rng = np.random.default_rng(4)
        model = _onnx(program).model(_params(program, rng))
        session = ProviderSession(model, provider)
        step, whole = _step(session, program, rng, batch, (short, long))
        numbers = {"seconds_per_step": step, "seconds": whole, "steps": long}
        yield Answer(f"step of an LSTM-{hidden} {what}, batch {batch}", None, f"{step * 1e6:.0f} us", numbers)


def search_step(provider: str) -> Iterator[Answer]:
    """Microseconds of one step of a beam search with 12 hypotheses of 1000 labels, and where its nodes run."""
    short, long, labels = 8, 64, 1000
    extern = {**EXTERN, "classes": {"dim": labels, "sparse": True, "available_for_inference": False}}
    unit = {
        "output": {"class": "choice", "beam_size": 12, "from": "prob", "target": "classes", "initial_output": 0},
        "emb": {"class": "linear", "activation": None, "n_out": 64, "from": "prev:output"},
        "s": {"class": "linear", "activation": "tanh", "n_out": 256, "from": ["prev:s", "emb", "data:source"]},
        "prob": {"class": "softmax", "from": "s", "target": "classes"},
    }
    network = {
        "search": {"class": "rec", "from": "data", "target": "classes", "unit": unit},
        "output": {"class": "decide", "from": "search"},
    }
    program = _compiled(network, extern=extern, mode="search")
    rng = np.random.default_rng(5)
    model = _onnx(program).model(_params(program, rng))
    session = ProviderSession(model, provider)
    step, whole = _step(session, program, rng, 8, (short, long))
    feeds = _onnx(program).feeds(session.session, _inputs(rng, LENGTHS))
    traced = ProviderSession(model, provider, trace=True)
    traced.run(feeds)
    numbers = {"seconds_per_step": step, "seconds": whole, "steps": long}
    half = drift(model, feeds, session.run(feeds), provider)
    yield Answer(
        "step of a beam search, 12 x 1000, batch 8", None, f"{step * 1e6:.0f} us", numbers, traced.placement(), half
    )


def tf32(provider: str) -> Iterator[Answer]:
    """What a GPU's shortened multiplication changes: onnxruntime switches it on by default, our checks off."""
    if provider != CUDA:
        return
    program = _compiled(_network({"unit": "nativelstm2"}, 1, -1))
    rng = np.random.default_rng(6)
    model = _onnx(program).model(_params(program, rng))
    exact = ProviderSession(model, provider)
    feeds = _onnx(program).feeds(exact.session, _inputs(rng, LENGTHS))
    expected = exact.run(feeds)["output"]
    received = ProviderSession(model, provider, use_tf32="1").run(feeds)["output"]
    error = float(np.abs(expected - received).max() / np.abs(expected).max())
    yield Answer("TF32, onnxruntime's default", None, f"changes a BLSTM by {error:.1e}", {"max_rel": error})


def norms_of_sums(provider: str) -> Iterator[Answer]:
    """Whether the profile's operator for a norm of a sum is the faster one here, and what it rounds off.

    Its entries have a mean of ten deviations, as residual connections of trained models have.
    """
    size, frames, count, mean = 512, 500, 12, 10.0
    rng = np.random.default_rng(7)
    x = (rng.standard_normal((1, frames, size)) + mean).astype(np.float32)
    network: dict[str, Any] = {"norm0": {"class": "copy", "from": "data"}}
    for i in range(1, count + 1):
        network[f"sum{i}"] = {"class": "combine", "kind": "add", "from": [f"norm{i - 1}", "data"]}
        network[f"norm{i}"] = {"class": "layer_norm", "from": f"sum{i}"}
    network["output"] = {"class": "copy", "from": f"norm{count}"}
    data = x.astype(np.float64)
    exact = data
    for _ in range(count):
        total = exact + data
        centred = total - total.mean(-1, keepdims=True)
        exact = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-6)
    for what, profile in (("Add, LayerNormalization", "portable"), ("one node", "onnxruntime")):
        program = _compiled(network, extern={"data": {"dim": size}}, profile=profile, device="cuda")
        session = ProviderSession(_onnx(program).model(program.initial_params()), provider)
        feeds = _onnx(program).feeds(session.session, {"data": x, "data/size1": np.asarray([frames], np.int64)})
        error = float(np.abs(session.run(feeds)["output"] - exact).max())
        time = seconds(partial(session.run, feeds), ROUNDS)
        numbers = {"seconds": time, "max_abs": error}
        text = f"{time * 1e3:.2f} ms, {error:.1e} off"
        yield Answer(f"{count} norms of sums [{frames}, {size}], {what}", None, text, numbers)


def attention_nodes(provider: str) -> Iterator[Answer]:
    """What the profile's operator for attention gains here over matrix products and a softmax, in float16 too."""
    size, frames, lengths = 512, 500, (500, 400, 450, 300)
    rng = np.random.default_rng(8)
    attention = {"class": "self_attention", "num_heads": 8, "total_key_dim": size, "n_out": size}
    inputs: dict[str, Array] = {
        "data": rng.standard_normal((len(lengths), frames, size)).astype(np.float32),
        "data/size1": np.asarray(lengths, np.int64),
    }
    for what, profile in (("products and a softmax", "portable"), ("one node", "onnxruntime")):
        extern = {"data": {"dim": size}}
        program = _compiled({"output": {**attention, "from": "data"}}, extern=extern, profile=profile, device="cuda")
        model = _onnx(program).model(_params(program, rng))
        session, half = ProviderSession(model, provider), ProviderSession(half_model(model), provider)
        feeds = _onnx(program).feeds(session.session, inputs)
        times = [seconds(partial(session.run, feeds), ROUNDS), seconds(partial(half.run, half_feeds(feeds)), ROUNDS)]
        text = f"{times[0] * 1e3:.2f} ms, float16 {times[1] * 1e3:.2f} ms"
        numbers = {"seconds": times[0], "seconds_half": times[1]}
        yield Answer(f"attention [{len(lengths)}, {frames}, {size}], 8 heads, {what}", None, text, numbers)


PROBES: dict[str, Probe] = {
    "ragged_node": ragged_node,
    "ragged_layers": ragged_layers,
    "top_k_ties": top_k_ties,
    "loop_step": loop_step,
    "search_step": search_step,
    "tf32": tf32,
    "norms_of_sums": norms_of_sums,
    "attention_nodes": attention_nodes,
}


# -------------------------------------------------------------------- small networks


def _compiled(
    network: Mapping[str, Any],
    *,
    extern: Mapping[str, Any] | None = None,
    target: str = "onnx",
    mode: str = "eval",
    fusion: Mapping[str, str] | None = None,
    profile: str | None = None,
    device: str | None = None,
) -> Program:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.py"
        lines = {"extern_data": dict(extern or EXTERN), "network": dict(network), "fusion": dict(fusion or {})}
        path.write_text("".join(f"{key} = {value!r}\n" for key, value in lines.items()), encoding="utf-8")
        return compile_net(load(path), target=target, mode=mode, profile=profile, device=device)


def _onnx(program: Program) -> OnnxProgram:
    if not isinstance(program.executable, OnnxProgram):
        raise TargetError("not an ONNX program", received=program.target)
    return program.executable


def _params(program: Program, rng: np.random.Generator) -> dict[str, Array]:
    return {
        name: (0.3 * rng.standard_normal(value.shape)).astype(value.dtype)
        for name, value in program.initial_params().items()
    }


def _inputs(rng: np.random.Generator, lengths: tuple[int, ...]) -> dict[str, Array]:
    data = rng.standard_normal((len(lengths), max(lengths), FEATURES)).astype(np.float32)
    return {"data": data, "data/size1": np.asarray(lengths, np.int64)}
