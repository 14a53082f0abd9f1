"""Random small nets that search: the pass that gives them beams, the whole pipeline and ONNX agree."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.passes.base import Context, run_pass
from compiler.passes.loops.history_to_carry import HistoryToCarry
from compiler.program.pipelines import SEARCH
from compiler.program.program import compile_net
from compiler.reference.target import ReferenceTarget
from compiler.target.protocol import Array
from returnn_ir import load
from returnn_ir.construct.construct import construct
from returnn_ir.text.verify import verify
from tests.filecheck import RefusingTarget

EXTERN = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
FETCH = ["output", "decision", "scores", "lengths"]
Layer = dict[str, Any]
Case = tuple[dict[str, Layer], list[int]]

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]


@dataclass
class RandomDecoder:
    """A decoder; ``choose(n)`` gives a number below n."""

    choose: Callable[[int], int]

    def network(self) -> dict[str, Layer]:
        ends = self.choose(2) == 1
        unit: dict[str, Layer] = {"emb": self.linear("prev:output")}
        features = ["emb", "base:mean" if ends else "data:source"]
        rules = [self.cell, self.cumsum, self.self_attention, self.attention, self.feedback, self.masked]
        for i in range(1 + self.choose(3)):
            unit.update(rules[self.choose(len(rules))](f"l{i}", features[-1] if i else "emb"))
            features.append(f"l{i}")
        if self.choose(3) == 0:
            unit["first"] = {"class": "softmax", "n_out": 3, "from": list(features)}
            unit["other"] = {**self.search("first"), "target": None}
            unit["other_emb"] = self.linear("other")
            features.append("other_emb")
        unit["prob"] = {"class": "softmax", "target": "classes", "from": features}
        unit["output"] = self.search("prob")
        loop: Layer = {"class": "rec", "from": "enc", "target": "classes", "unit": unit}
        if ends:
            unit["end"] = {"class": "compare", "from": "output", "value": 0}
            loop.update({"from": [], "max_seq_len": 4, "include_eos": self.choose(2) == 1})
        return {
            "enc": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"},
            "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "enc"},
            "output": loop,
            "decision": {"class": "decide", "from": "output"},
            "scores": {"class": "choice_get_beam_scores", "from": "output"},
            "lengths": {"class": "length", "from": "output"},
        }

    def search(self, source: str) -> Layer:
        return {
            "class": "choice",
            "from": source,
            "target": "classes",
            "beam_size": 1 + self.choose(5),
            "initial_output": 0,
            "length_normalization": self.choose(2) == 1,
            "length_normalization_exponent": [1.0, 0.6][self.choose(2)],
            "prob_scale": [1.0, 0.7][self.choose(2)],
        }

    @staticmethod
    def linear(source: str) -> Layer:
        return {"class": "linear", "activation": "tanh", "n_out": 4, "from": source}

    def cell(self, name: str, source: str) -> dict[str, Layer]:
        return {name: {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": source}}

    def cumsum(self, name: str, source: str) -> dict[str, Layer]:
        return {name: {"class": "cumsum", "axis": "T", "from": source}}

    def self_attention(self, name: str, source: str) -> dict[str, Layer]:
        options = {"num_heads": 2, "total_key_dim": 4, "n_out": 4, "attention_left_only": True}
        return {name: {"class": "self_attention", "from": source, **options}}

    def attention(self, name: str, source: str) -> dict[str, Layer]:
        return {
            f"{name}q": {"class": "linear", "activation": None, "n_out": 3, "from": source},
            f"{name}e": {"class": "dot", "from": ["base:enc", f"{name}q"], "red1": "F", "red2": "F", "var2": None},
            f"{name}w": {"class": "softmax_over_spatial", "from": f"{name}e"},
            name: {"class": "generic_attention", "weights": f"{name}w", "base": "base:enc"},
        }

    def feedback(self, name: str, source: str) -> dict[str, Layer]:
        return {name: {"class": "linear", "activation": "tanh", "n_out": 4, "from": [source, f"prev:{name}"]}}

    def masked(self, name: str, source: str) -> dict[str, Layer]:
        cell = {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": "data"}
        mask = {"class": "compare", "kind": "not_equal", "from": "prev:output", "value": 1}
        return {
            f"{name}mask": mask,
            f"{name}m": {"class": "masked_computation", "mask": f"{name}mask", "from": source, "unit": cell},
            name: {"class": "unmask", "mask": f"{name}mask", "from": f"{name}m"},
        }


def _load(network: Mapping[str, Layer], **options: object) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "net.py"
        lines = [f"{key} = {value!r}" for key, value in options.items()]
        file.write_text("\n".join([*lines, f"extern_data = {EXTERN!r}", f"network = {dict(network)!r}", ""]))
        return load(file)


def _inputs(lengths: list[int]) -> dict[str, Array]:
    data = np.random.default_rng(3).normal(size=(len(lengths), max(lengths), 3)).astype("float32")
    labels = np.zeros((len(lengths), max(lengths)), "int32")  # declared, but no result depends on it
    return {"data": data, "data/size1": np.asarray(lengths), "classes": labels, "classes/size1": np.asarray(lengths)}


def _params(initial: Mapping[str, Array]) -> dict[str, Array]:
    rng = np.random.default_rng(5)
    return {k: rng.normal(size=v.shape).astype(v.dtype) for k, v in initial.items()}


def _same(expected: Mapping[str, Array], received: Mapping[str, Array], what: object) -> None:
    for name, array in expected.items():
        found = received[name]
        assert found.shape == array.shape, f"{name}: {found.shape} {array.shape}\n{what}"
        if array.dtype.kind == "f":
            used = array > -1e20  # slots of the beam that are not there have no score
            np.testing.assert_allclose(found[used], array[used], rtol=1e-4, atol=1e-4, err_msg=f"{name}\n{what}")
        elif "beam" not in name and name != "output/output":
            np.testing.assert_array_equal(found, array, err_msg=f"{name}\n{what}")


def _check(network: Mapping[str, Layer], lengths: list[int], *, exported: bool) -> None:
    net, inputs = _load(network), _inputs(lengths)
    program = compile_net(net, target="reference", mode="search", fetch=FETCH)
    params = _params(program.initial_params())
    named = construct(net, "search", FETCH).graph
    for pass_ in (*SEARCH, HistoryToCarry()):
        run_pass(pass_, named, Context(RefusingTarget()))
        verify(named)
    found = ReferenceTarget().lower(named).run(inputs, params)
    expected = {k: v for k, v in found.items() if named.fetches()[k].dims == program.graph.fetches()[k].dims}
    _same(expected, program.run(inputs, params), network)
    if exported:
        onnx = compile_net(net, target="onnx", mode="search", fetch=FETCH)
        _same(program.run(inputs, params), onnx.run(inputs, params), network)


def _draw(data: st.DataObject) -> Case:
    network = RandomDecoder(lambda n: data.draw(st.integers(0, n - 1))).network()
    return network, data.draw(st.sampled_from([[4, 1, 3], [1], [2, 5], [1, 1]]))


@settings(max_examples=12, deadline=None, suppress_health_check=_QUIET)
@given(st.data())
def test_beams_keep_the_meaning(data: st.DataObject) -> None:
    _check(*_draw(data), exported=data.draw(st.integers(0, 2)) == 0)


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=_QUIET)
@given(st.data())
def test_beams_keep_the_meaning_of_many(data: st.DataObject) -> None:
    _check(*_draw(data), exported=True)


@settings(max_examples=6, deadline=None, suppress_health_check=_QUIET)
@given(st.data())
def test_independent_scores_do_not_depend_on_the_batch(data: st.DataObject) -> None:
    network, lengths = _draw(data)[0], [4, 1, 3]
    program = compile_net(
        _load(network, search_scores="independent"), target="reference", mode="search", fetch=["scores", "decision"]
    )
    params, inputs = _params(program.initial_params()), _inputs(lengths)
    together = program.run(inputs, params)
    for i, length in enumerate(lengths):
        one = {"data": inputs["data"][i : i + 1, :length], "data/size1": np.asarray([length])}
        alone = program.run(one, params)
        expected, found = alone["output/scores"][0], together["output/scores"][i]
        used = expected > -1e20
        np.testing.assert_allclose(found[used], expected[used], rtol=1e-4, atol=1e-5, err_msg=str(network))
        count = int(alone["output/decision/size1"][0])
        assert int(together["output/decision/size1"][i]) == count
        np.testing.assert_array_equal(together["output/decision"][i, :count], alone["output/decision"][0, :count])
