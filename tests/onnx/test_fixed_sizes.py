"""Models with fixed sizes: every shape is a number, batches are filled up and cut again, and results stay the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from compiler.cli import main
from compiler.onnx.capture import obstacles
from compiler.target.protocol import Array
from returnn_ir.errors import DataError
from runtime.deployment.search_driver import SearchDriver
from runtime.deployment.session import OnnxSession

SEARCH = Path(__file__).parents[1] / "golden" / "search"
#: Each sequence by itself: what fixed sizes need.
ALONE = ["++padding", "masked", "++search_scores", "independent"]
BATCH, LONGEST = 4, 9
#: An encoder-decoder, one whose memory are the steps so far, one that writes a label per frame, two choices per step.
CASES = ["att_decoder", "transformer_decoder", "fixed_length", "two_choices"]


def export(case: str, path: Path, *options: str) -> None:
    """Write the search of a golden case, with its parameters and its n-best list as output."""
    net, params = SEARCH / f"{case}.py", str(SEARCH / f"{case}.npz")
    command = [str(net), "--target", "onnx", "--mode", "search", "--params", params, *ALONE]
    assert main([*command, "-o", str(path), *options]) == 0


def feed(lengths: tuple[int, ...], seed: int = 1) -> dict[str, Array]:
    """Sequences of three features."""
    rng = np.random.default_rng(seed)
    data = rng.standard_normal((len(lengths), max(lengths), 3)).astype(np.float32)
    return {"data": data, "data/size1": np.asarray(lengths, np.int64)}


def sizes(info: Any) -> list[int | str]:
    """The shape that a file says a value has."""
    return [d.dim_value if d.HasField("dim_value") else d.dim_param for d in info.type.tensor_type.shape.dim]


@pytest.fixture(scope="module")
def searches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each search three times: in one file, in parts, in parts of fixed sizes."""
    folder = tmp_path_factory.mktemp("searches")
    for case in CASES:
        export(case, folder / f"{case}.onnx")
        export(case, folder / f"{case}_open", "--layout", "split")
        fixed = ["--layout", "split", "--batch", str(BATCH), "--max-length", str(LONGEST)]
        export(case, folder / f"{case}_fixed", *fixed)
    return folder


@pytest.mark.parametrize("case", CASES)
def test_the_same_hypotheses_in_every_layout(case: str, searches: Path) -> None:
    """On ragged batches, full and not, shorter and as long as can be; one after the other in the same buffers."""
    whole = OnnxSession(searches / f"{case}.onnx")
    in_parts, fixed = SearchDriver(searches / f"{case}_open"), SearchDriver(searches / f"{case}_fixed")
    for lengths in ((9, 1, 5, 3), (4,), (7, 7, 2), (9,), (1, 1)):
        inputs = feed(lengths, seed=len(lengths))
        expected = whole.run(inputs)
        for driver, tolerance in ((in_parts, 0.0), (fixed, 1e-5)):
            found = driver.run(inputs)
            assert found.keys() == expected.keys()
            for name, value in expected.items():
                assert found[name].shape == value.shape, name
                np.testing.assert_allclose(found[name], value, rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("case", CASES)
def test_a_step_is_one_for_a_cuda_graph(case: str, searches: Path) -> None:
    """No control flow, no node on the host, no copy to it or from it, and a size for every axis of every array."""
    step = onnx.load(searches / f"{case}_fixed" / "step.onnx")
    assert obstacles(step) == []
    inferred = onnx.shape_inference.infer_shapes(step, data_prop=True).graph
    made = {name for node in step.graph.node for name in node.output}
    known = {info.name: sizes(info) for info in (*inferred.value_info, *inferred.output)}
    assert made <= known.keys()
    assert [name for name, shape in known.items() if not all(isinstance(size, int) for size in shape)] == []
    assert {tuple(sizes(i)) for i in step.graph.input} > {()}
    assert any(node.op_type == "Loop" for node in onnx.load(searches / f"{case}.onnx").graph.node)
    left_open = onnx.shape_inference.infer_shapes(onnx.load(searches / f"{case}_open" / "step.onnx")).graph
    assert any(isinstance(size, str) for info in left_open.value_info for size in sizes(info))


def test_what_the_file_says(searches: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fixed = ["--layout", "split", "--batch", "2", "--max-length", "6"]
    export("att_decoder", tmp_path / "parts", *fixed)
    told = capsys.readouterr().out.splitlines()
    assert told[0] == (
        f"wrote {tmp_path}/parts: encoder.onnx, init.onnx, step.onnx, finish.onnx, for batches of 2, 6 frames, 6 steps "
        f"at most with {SEARCH}/att_decoder.npz"
    )
    assert told[-1] == "the parts give the hypotheses of the whole"
    props = {p.key: p.value for p in onnx.load(tmp_path / "parts" / "finish.onnx").metadata_props}
    assert '"batch": 2, "longest": 6, "steps": 6' in props["returnn_ir.fixed"]


def test_a_batch_that_does_not_fit(searches: Path) -> None:
    driver = SearchDriver(searches / "att_decoder_fixed")
    with pytest.raises(DataError) as caught:
        driver.run(feed((10, 2)))
    assert str(caught.value) == (
        "data: a sequence is longer than the model was made for\n"
        "  expected: at most 9 frames\n"
        "  received: 10\n"
        "  try: cut it, or export the model with --max-length 10"
    )
    with pytest.raises(DataError) as caught:
        driver.run(feed((2, 2, 2, 2, 2)))
    assert str(caught.value) == (
        "data: the batch is larger than the model was made for\n"
        "  expected: at most 4 sequences\n"
        "  received: 5\n"
        "  try: smaller batches, or export it with --batch 5"
    )


# -------------------------------------------------------------------- without a search

ENCODER = """
extern_data = {"data": {"dim": 3}}
network = {
    "fw": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "direction": 1, "from": "data"},
    "bw": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "direction": -1, "from": "data"},
    "conv": {"class": "conv", "filter_size": (3,), "padding": "same", "n_out": 5, "from": ["fw", "bw"], "strides": 2},
    "att": {"class": "self_attention", "num_heads": 2, "total_key_dim": 4, "n_out": 6, "from": "conv"},
    "mean": {"class": "reduce", "mode": "mean", "axes": "T", "from": "att", "is_output_layer": True},
    "output": {"class": "softmax", "n_out": 5, "from": "att"},
}
"""


def test_an_encoder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One file whose arrays have one size; sequences are cut to their own lengths again."""
    net = tmp_path / "net.py"
    net.write_text(ENCODER + "padding = 'masked'\n")
    command = [str(net), "--target", "onnx"]
    assert main([*command, "-o", str(tmp_path / "open.onnx")]) == 0
    assert main([*command, "-o", str(tmp_path / "fixed.onnx"), "--batch", "3", "--max-length", "8"]) == 0
    assert "mode forward, for batches of 3, 8 frames at most) with untrained" in capsys.readouterr().out
    model = onnx.load(tmp_path / "fixed.onnx")
    assert obstacles(model) == [
        "a copy of fw/Cast:0 of fw (sequence_lens of fw/LSTM)"  # its lengths
    ]
    assert [sizes(i) for i in model.graph.input] == [[3, 8, 3], [3]]
    left_open, fixed = OnnxSession(tmp_path / "open.onnx"), OnnxSession(tmp_path / "fixed.onnx")
    for lengths in ((8, 2, 5), (5,), (1, 3)):
        inputs = feed(lengths)
        expected, found = left_open.run(inputs), fixed.run(inputs)
        assert {name: v.shape for name, v in found.items()} == {name: v.shape for name, v in expected.items()}
        for row, length in enumerate(expected["output/size1"]):
            got, wanted = (r["output"][row, :length] for r in (found, expected))
            np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found["mean"], expected["mean"], rtol=1e-5, atol=1e-6)
    sequences = [np.ones((n, 3), np.float32) for n in (2, 7)]
    for one, other in zip(fixed.run_sequences(sequences), left_open.run_sequences(sequences), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


# -------------------------------------------------------------------- refusals


def refused(command: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What is said to a command line that is refused."""
    assert main(command) == 2
    return capsys.readouterr().err.removeprefix("returnn-compile: ").rstrip("\n")


def test_what_depends_on_the_batch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All reasons at once, each with its layers and what to try."""
    net = tmp_path / "net.py"
    net.write_text(
        """
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
unit = {
    "s": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "prev:output"},
    "att": {"class": "dot_attention", "base": "base:conv", "base_ctx": "base:conv", "from": "s"},
    "p": {"class": "softmax", "from": ["s", "att"], "target": "classes"},
    "output": {"class": "choice", "from": "p", "beam_size": 3, "target": "classes", "initial_output": 0},
    "end": {"class": "compare", "from": "output", "value": 0},
}
network = {
    "conv": {"class": "conv", "filter_size": (3,), "padding": "same", "n_out": 3, "from": "data"},
    "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": 5, "unit": unit},
}
"""
    )
    command = [str(net), "--target", "onnx", "--mode", "search", "--layout", "split", "-o", str(tmp_path / "out")]
    fixed = ["--batch", "2", "--max-length", "7"]
    assert refused([*command, *fixed], capsys) == (
        "2 problems:\n"
        "[1] --max-length: fixed sizes pad every batch, and results depend on the padding in conv\n"
        '  try: padding = "masked" in the config, or no fixed sizes\n'
        "[2] --batch: fixed sizes pad every batch, and scores depend on the batch in output/output\n"
        '  try: search_scores = "independent" in the config'
    )
    assert not (tmp_path / "out").exists()
    assert main([*command, *fixed, *ALONE]) == 0


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (
            "own_batch_norm_in_search",
            "--batch: fixed sizes fill every batch up, and output/bn computes over the sequences of a batch\n"
            "  try: export it without --batch and --max-length",
        ),
        (
            "own_segment_attention",
            "--max-length: nothing bounds the length of the axis output/sl.sliced of output/size\n"
            "  try: a max_seq_len that follows from numbers and input lengths, or export it without --batch and "
            "--max-length",
        ),
        (
            "own_cond_in_search",
            "--max-length: a step of this search cannot be captured as a CUDA graph\n"
            "  received: If of output/x\n"
            "  try: the split layout without --batch and --max-length",
        ),
    ],
)
def test_what_has_no_fixed_sizes(case: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [str(SEARCH / f"{case}.py"), "--target", "onnx", "--mode", "search", "--layout", "split", *ALONE]
    assert refused([*command, "--batch", "2", "--max-length", "7", "-o", str(tmp_path / "out")], capsys) == told


def test_a_number_of_frames_that_nobody_knows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = tmp_path / "net.py"
    golden = (SEARCH.parent / "shape" / "boolean_mask.py").read_text(encoding="utf-8")
    net.write_text(golden + 'network["output"] = {"class": "copy", "from": "bm"}\n', encoding="utf-8")
    command = [str(net), "--target", "onnx", "-o", str(tmp_path / "m.onnx"), *ALONE]
    assert refused([*command, "--batch", "2", "--max-length", "7"], capsys) == (
        "2 problems:\n"
        "[1] --batch: fixed sizes fill every batch up, and bm computes over the sequences of a batch\n"
        "  try: export it without --batch and --max-length\n"
        "[2] --max-length: the number of frames that bm picks is known in a run only\n"
        "  try: export it without --batch and --max-length"
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ["--batch", "2", "--target", "onnx", "-o", "m.onnx"],
            "--batch alone fixes no sizes\n  try: --max-length, too",
        ),
        (
            ["--max-length", "2", "--target", "onnx", "-o", "m.onnx"],
            "--max-length alone fixes no sizes\n  try: --batch, too",
        ),
        (
            ["--batch", "2", "--max-length", "7", "--target", "tf", "-o", "m"],
            "--batch and --max-length are for an ONNX file\n  try: --target onnx -o PATH",
        ),
        (
            ["--batch", "2", "--max-length", "7"],
            "--batch and --max-length are for an ONNX file\n  try: --target onnx -o PATH",
        ),
        (
            ["--batch", "0", "--max-length", "7", "--target", "onnx", "-o", "m.onnx"],
            "--batch: a size must be positive\n  expected: at least 1\n  received: 0",
        ),
        (
            ["--batch", "2", "--max-length", "7", "--target", "onnx", "-o", "m.onnx", "--mode", "search"],
            "--max-length: fixed sizes are for CUDA graphs, and a search in one file is a loop, which these exclude\n"
            "  try: --layout split",
        ),
    ],
)
def test_command_lines(
    options: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refused([str(SEARCH / "fixed_length.py"), *options], capsys) == told
