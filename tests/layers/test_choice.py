"""Beams of choices against a search written down plainly: lists of hypotheses, one sequence at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.check.compare import UNUSED_SCORE
from compiler.check.recorded import read_recorded
from compiler.program.named import named_reference
from compiler.program.program import compile_net
from compiler.target.protocol import Array
from returnn_ir import load
from runtime.decoding import nbest_lists
from tests.layers.nets import run_net

LABELS = 2
EXTERN = {"data": {"dim": 3}, "classes": {"dim": LABELS, "sparse": True, "available_for_inference": False}}
LENGTHS = [4, 2]


@dataclass(frozen=True)
class Hypothesis:
    """What a search knows; ``labels`` has those of every choice of every step."""

    score: float
    labels: tuple[int, ...] = ()


def _emb(source: str) -> dict[str, Any]:
    return {"class": "linear", "activation": None, "n_out": 2, "from": source, "with_bias": False}


def _network(first: int, second: int, *, keep_beams: bool) -> dict[str, Any]:
    """Two choices in each step: ``a`` from the output before, the output from ``a``."""
    choice = {"class": "choice", "target": "classes", "initial_output": 0, "length_normalization": False}
    unit = {
        "eo": _emb("prev:output"),
        "pa": {"class": "softmax", "target": "classes", "from": ["data:source", "eo"], "with_bias": False},
        "a": {**choice, "from": "pa", "beam_size": first},
        "ea": _emb("a"),
        "po": {"class": "softmax", "target": "classes", "from": ["data:source", "ea"], "with_bias": False},
        "output": {**choice, "from": "po", "beam_size": second, "keep_beams": keep_beams},
    }
    return {"output": {"class": "rec", "from": "data", "target": "classes", "unit": unit}}


def _step(params: Mapping[str, Array], x: Array, label: int, names: tuple[str, str]) -> Array:
    """Log probabilities of the labels behind ``label``."""
    emb, prob = names
    joined = np.concatenate([x, params[f"output/rec/{emb}/W"][label]])
    logits: Array = joined.astype(np.float64) @ params[f"output/rec/{prob}/W"]
    total: Array = np.exp(logits).sum()
    return logits - np.log(total)


def _search(params: Mapping[str, Array], frames: Array, first: int, second: int, *, keep: bool) -> list[Hypothesis]:
    """All that is left of one sequence in the end, the best first."""

    def continued(before: Hypothesis, x: Array, names: tuple[str, str]) -> list[Hypothesis]:
        last = before.labels[-1] if before.labels else 0
        scores = _step(params, x, last, names)
        made = [Hypothesis(before.score + scores[i], (*before.labels, i)) for i in range(LABELS)]
        return sorted(made, key=lambda h: -h.score)

    found = [Hypothesis(0.0)]
    for x in frames:
        ranked = sorted((n for h in found for n in continued(h, x, ("eo", "pa"))), key=lambda h: -h.score)
        found = ranked[:first]
        groups = [continued(h, x, ("ea", "po")) for h in found]
        if keep:
            found = [n for group in groups for n in group[: second // first]]
        else:
            found = sorted((n for group in groups for n in group), key=lambda h: -h.score)[:second]
    return found


@pytest.mark.parametrize("target", ["reference", "onnx"])
@pytest.mark.parametrize(
    ("first", "second", "keep"),
    [
        (4, 16, False),  # wide: nothing is lost in short sequences
        (2, 3, False),
        (1, 5, False),  # more slots than there are continuations
        (3, 3, True),
        (2, 4, True),
        (2, 6, True),  # more successors of each than there are labels
    ],
)
def test_beams_of_two_choices(tmp_path: Path, first: int, second: int, keep: bool, target: str) -> None:
    file = tmp_path / "net.py"
    lines = ["search_scores = 'independent'", f"extern_data = {EXTERN!r}"]
    file.write_text("\n".join([*lines, f"network = {_network(first, second, keep_beams=keep)!r}", ""]))
    program = compile_net(load(file), target=target, mode="search", fetch=["output"])
    rng = np.random.default_rng(first + 10 * second)
    params = {k: 2 * rng.normal(size=v.shape).astype("float32") for k, v in program.initial_params().items()}
    data = rng.normal(size=(len(LENGTHS), max(LENGTHS), 3)).astype("float32")
    results = program.run({"data": data, "data/size1": np.array(LENGTHS)}, params)
    found = nbest_lists(results, "output", program.graph.outputs["output"])
    for beam, frames, length in zip(found, data, LENGTHS, strict=True):
        assert len(beam) == second
        used = [(h.score, h.value.tolist()) for h in beam if h.score is not None and h.score > UNUSED_SCORE]
        expected = _search(params, frames[:length], first, second, keep=keep)
        assert [labels for _, labels in used] == [list(h.labels[1::2]) for h in expected]
        assert [score for score, _ in used] == pytest.approx([h.score for h in expected], rel=1e-5, abs=1e-6)


def test_a_search_without_frames(tmp_path: Path) -> None:
    """Nothing was chosen, so the only hypothesis has the score zero, normalized or not."""
    network = _network(2, 3, keep_beams=False)
    network["output"]["unit"]["output"]["length_normalization"] = True
    file = tmp_path / "net.py"
    lines = ["search_scores = 'independent'", f"extern_data = {EXTERN!r}", f"network = {network!r}", ""]
    file.write_text("\n".join(lines))
    program = compile_net(load(file), target="reference", mode="search", fetch=["output"])
    data = {"data": np.zeros((2, 0, 3), np.float32), "data/size1": np.array([0, 0])}
    results = program.run(data, program.initial_params())
    found = nbest_lists(results, "output", program.graph.outputs["output"])
    assert [[h.value.tolist() for h in beam] for beam in found] == [[[]] * 3] * 2
    assert [beam[0].score for beam in found] == [0.0, 0.0]
    assert all(h.score is not None and h.score < UNUSED_SCORE for beam in found for h in beam[1:])


def _decoder(**attention: dict[str, Any]) -> dict[str, Any]:
    """A decoder that ends by itself; ``attention`` makes the layer ``context`` of ``q`` [T, F], the labels' own."""
    unit = {
        "eo": _emb("prev:output"),
        "q": {"class": "combine", "kind": "add", "from": ["base:enc", "eo"]},
        **attention,
        "prob": {"class": "softmax", "target": "classes", "from": ["context", "eo"], "with_bias": False},
        "output": {"class": "choice", "target": "classes", "initial_output": 0, "from": "prob", "beam_size": 3},
        "end": {"class": "compare", "from": "output", "value": 0},
    }
    return {
        "enc": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data"},
        "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": 5, "unit": unit},
        "split": {"class": "split_batch_beam", "from": "output"},
        "scores": {"class": "choice_get_beam_scores", "from": "output"},
    }


def _searched(path: Path, network: Mapping[str, Any]) -> tuple[dict[str, Array], list[list[Any]]]:
    """What a decoder finds, and its hypotheses."""
    file = path / "net.py"
    file.write_text(f"extern_data = {EXTERN!r}\nnetwork = {dict(network)!r}\n")
    program = compile_net(load(file), target="reference", mode="search", fetch=["output", "split", "scores"])
    rng = np.random.default_rng(4)
    params = {k: 2 * rng.normal(size=v.shape).astype("float32") for k, v in sorted(program.initial_params().items())}
    data = rng.normal(size=(len(LENGTHS), max(LENGTHS), 3)).astype("float32")
    results = program.run({"data": data, "data/size1": np.array(LENGTHS)}, params)
    return results, nbest_lists(results, "output", program.graph.outputs["output"])


MEAN = {"class": "reduce", "mode": "mean", "axis": "T", "from": "sums"}


def test_split_beams_keep_the_length_of_each_hypothesis(tmp_path: Path) -> None:
    """RETURNN cannot do this: ``split_batch_beam`` of labels that end where each hypothesis ends."""
    results, found = _searched(tmp_path, _decoder(context={**MEAN, "from": "q"}))
    lengths = results["output/split/size2"]
    assert lengths.tolist() == [[len(h.value) for h in beam] for beam in found]
    assert len(set(lengths.ravel())) > 1
    for labels, length, beam in zip(results["output/split"], lengths, found, strict=True):
        for row, count, hypothesis in zip(labels, length, beam, strict=True):
            assert row[:count].tolist() == hypothesis.value.tolist()


def test_a_loop_in_a_searching_loop(tmp_path: Path) -> None:
    """Its input has a beam, so its state gets one (RETURNN fails): a sum step by step is a cumulative sum."""
    step = {"class": "combine", "kind": "add", "from": ["data:source", "prev:output"]}
    loop, _ = _searched(tmp_path, _decoder(sums={"class": "rec", "from": "q", "unit": {"output": step}}, context=MEAN))
    whole, _ = _searched(tmp_path, _decoder(sums={"class": "cumsum", "axis": "T", "from": "q"}, context=MEAN))
    np.testing.assert_array_equal(loop["output/output"], whole["output/output"])
    np.testing.assert_allclose(loop["output/scores"], whole["output/scores"], rtol=1e-5)
    assert len(np.unique(loop["output/scores"])) == loop["output/scores"].size


def test_what_a_loop_sees_of_an_earlier_beam_follows_its_hypotheses(tmp_path: Path) -> None:
    """``eo`` belongs to the hypotheses before the choice ``a``, the loop's input to those behind it."""
    first = {
        "pa": {"class": "softmax", "target": "classes", "from": "eo", "with_bias": False},
        "a": {"class": "choice", "target": "classes", "initial_output": 0, "from": "pa", "beam_size": 4},
        "ea": _emb("a"),
        "qa": {"class": "combine", "kind": "add", "from": ["base:enc", "ea"]},
    }
    step = {"class": "combine", "kind": "add", "from": ["data:source", "prev:output", "base:eo"]}
    both = {"class": "combine", "kind": "add", "from": ["qa", "eo"]}
    sums = {"class": "rec", "from": "qa", "unit": {"output": step}}
    loop, _ = _searched(tmp_path, _decoder(**first, sums=sums, context=MEAN))
    sums = {"class": "cumsum", "axis": "T", "from": "both"}
    whole, _ = _searched(tmp_path, _decoder(**first, both=both, sums=sums, context=MEAN))
    np.testing.assert_array_equal(loop["output/output"], whole["output/output"])
    np.testing.assert_allclose(loop["output/scores"], whole["output/scores"], rtol=1e-5)


def test_a_search_over_the_only_hypothesis_of_another_one(tmp_path: Path) -> None:
    """As if it had been decided on; RETURNN cannot do without the decision."""

    def search(source: str, beam: int) -> dict[str, Any]:
        prob = {"class": "softmax", "from": ["data:source", "prev:emb"], "n_out": 4, "is_output_layer": True}
        choice = {"class": "choice", "beam_size": beam, "from": "prob", "target": "classes", "initial_output": 0}
        emb = {"class": "linear", "n_out": 2, "activation": None, "from": "output"}
        unit = {"prob": prob, "output": choice, "emb": emb}
        return {"class": "rec", "from": source, "target": "classes", "unit": unit}

    first: dict[str, Any] = {"first": search("data", 1), "given": {"class": "decide", "from": "first/prob"}}
    second = {"second": search("given", 3), "best": {"class": "decide", "from": "second"}}
    network = {**first, **second}
    extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
    frames = np.random.default_rng(1).normal(size=(3, 5, 3)).astype(np.float32)
    inputs = {"data": 3 * frames, "data/size1": np.array([5, 1, 3])}
    decided = run_net(tmp_path, network, extern_data, inputs, mode="search")
    network["given"] = {"class": "copy", "from": "first/prob"}
    found = run_net(tmp_path, network, extern_data, inputs, mode="search")
    assert len(np.unique(found["output/best"])) > 1
    for key in ("output/best", "output/second"):
        np.testing.assert_array_equal(found[key], decided[key])


def test_texts_of_a_sequence_that_is_over_wait() -> None:
    """With independent scores hypotheses and the texts that they spell stay as they are until the batch has ended."""
    case = Path(__file__).parents[1] / "golden" / "search" / "own_text_recombination.py"
    recorded = read_recorded(case.with_suffix(".npz"))
    net = load(case, mode="search", overrides=["++search_scores", "independent"])
    program = compile_net(net, target="tf", mode="search", fetch=["output"], device="cpu")
    data, lengths = recorded.inputs["data"], recorded.inputs["data/size1"]
    batch = program.run({"data": data, "data/size1": lengths}, recorded.params)
    for row, length in enumerate(lengths):
        one = {"data": data[row : row + 1, :length], "data/size1": lengths[row : row + 1]}
        alone = program.run(one, recorded.params)
        scores = alone["output/output/beam_scores"][0]
        np.testing.assert_allclose(batch["output/output/beam_scores"][row], scores, rtol=1e-5)
        np.testing.assert_array_equal(batch["output/output"][:length, row], alone["output/output"][:, 0])


def test_states_behind_a_search_start_with_its_beam() -> None:
    """An LSTM over hypotheses, in the program that exports are compared with: the initial state is one for all."""
    case = Path(__file__).parents[1] / "golden" / "search" / "own_behind_ended_search.py"
    recorded = read_recorded(case.with_suffix(".npz"))
    net = load(case, mode="search")
    plain = named_reference(net, "search", ["lstm"], losses=False).run(recorded.inputs, recorded.params)
    program = compile_net(net, target="reference", mode="search", fetch=["lstm"], losses=False)
    lowered = program.run(recorded.inputs, recorded.params)
    assert plain["output/lstm"].ndim == 4
    np.testing.assert_allclose(plain["output/lstm"], lowered["output/lstm"], rtol=1e-5, atol=1e-6)
