"""The exported file: verified, described, and not written if it is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.cli import main
from compiler.onnx.export import ExportMismatch, export
from compiler.onnx.session import open_session
from compiler.reference.target import ReferenceTarget
from compiler.target.protocol import Array
from returnn_ir.errors import Origin
from returnn_ir.ir.dims import Dim
from tests.conformance.gaps import GOLDEN
from tests.onnx.graphs import Net, lower
from tests.onnx.test_recurrent import recurrent


def _net(masked: str | None = None) -> Net:
    """An LSTM, a convolution and a softmax; ``masked``: ``neutral`` or ``other`` frames are put behind the ends."""
    net = Net()
    with net.b.at(Origin(layer="rec")):
        y = recurrent(net, "lstm", "rec", reverse=True, zero=True)[0]
        if masked is not None:
            mask = net.b.mask(net.time)
            mask = mask if masked == "neutral" else net.b.binary("greater", y, 0.0)
            y = net.b.where(mask, y, net.b.const(0.0))
    out, channels, k = net.time.ceildiv(2), Dim("C", 5), Dim("K", 3)
    hidden = y.dims[-1]
    attrs: dict[str, Any] = {"dims": (net.time,), "outs": (out,), "in_dim": hidden, "out_dim": channels}
    geometry: dict[str, Any] = {"strides": (2,), "dilations": (1,), "padding": "same", "groups": 1}
    with net.b.at(Origin(layer="conv")):
        w = net.param("conv/W", k, hidden, channels)
        y = net.b.op("conv", y, w, filter_dims=(k,), filter_in=hidden, **attrs, **geometry)
    with net.b.at(Origin(layer="output")):
        y = net.b.op("softmax", y, dims=(channels,))
    net.give("output", y, net.batch, out, channels)
    net.graph.outputs["output"].lengths = {1: net.b.length(out)}
    return net


def test_file(tmp_path: Path) -> None:
    net = _net()
    program, reference = lower(net), ReferenceTarget().lower(net.graph)
    result = export(program, net.params, tmp_path / "m.onnx", labels={"classes": ["a", "b"]}, reference=reference)
    assert result.verification is not None and result.verification.ok
    assert result.tail_readers == ["conv"]
    session = open_session(tmp_path / "m.onnx")
    meta = {k: json.loads(v) for k, v in session.get_modelmeta().custom_metadata_map.items()}
    assert meta["returnn_ir.report"]["ok"]
    assert [b["lengths"] for b in meta["returnn_ir.report"]["batches"]] == [[13], [1], [13, 1, 6, 2]]
    assert meta["returnn_ir.outputs"]["output"]["axes"] == ["B", "T/^2", "C"]
    assert meta["returnn_ir.labels"] == {"classes": ["a", "b"]}
    assert meta["returnn_ir.versions"]["opset"] == "21"
    assert meta["returnn_ir.tail_readers"] == ["conv"]
    sizes = session.run(["output/size1"], net.inputs)[0]
    np.testing.assert_array_equal(sizes, [3, 1, 2])


@pytest.mark.parametrize(("masked", "readers"), [(None, ["conv"]), ("other", ["conv"]), ("neutral", [])])
def test_who_reads_tails(tmp_path: Path, masked: str | None, readers: list[str]) -> None:
    """A layer whose input was masked just before sees nothing behind the ends."""
    net = _net(masked)
    assert export(lower(net), net.params, tmp_path / "m.onnx").tail_readers == readers


@pytest.mark.parametrize(("added", "by"), [(0.01, "0.01"), (np.nan, "inf")])
def test_a_wrong_model_is_not_written(tmp_path: Path, added: float, by: str) -> None:
    net = _net()
    program = lower(net)

    class Other:
        def run(self, inputs: dict[str, Array], params: dict[str, Array]) -> dict[str, Array]:
            found = program.run(inputs, params)
            return {**found, "output/output": found["output/output"] + added}

    with pytest.raises(ExportMismatch, match=rf"output: .* entries differ by up to {by}"):
        export(program, net.params, tmp_path / "m.onnx", reference=Other())  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_a_loop_that_remembers_all_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The reference is the network before any pass of a target: causal self-attention is still in its loop there."""
    net = GOLDEN / "attention" / "own_transformer_lm.py"
    assert main([str(net), "--target", "onnx", "-o", str(tmp_path / "lm.onnx")]) == 0
    assert "verified against the reference on 3 ragged batches" in capsys.readouterr().out


def _told(net: Path, model: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[str, dict[str, Any]]:
    """What the command line says of an export, and the report in the file."""
    assert main([str(net), "--target", "onnx", "-o", str(model), *options]) == 0
    report = json.loads(open_session(model).get_modelmeta().custom_metadata_map["returnn_ir.report"])
    return capsys.readouterr().out, report


def test_labels_that_are_fewer_than_frames(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A target of CTC with as many labels as the output has frames is too long; one with fewer is not."""
    net = GOLDEN / "losses" / "ctc_beam_error.py"
    out, report = _told(net, tmp_path / "ctc.onnx", capsys, "--mode", "eval")
    assert "verified against the reference on 3 ragged batches" in out
    assert report["ok"] and not report["left_out"]
    assert [{k: v for k, v in b.items() if k != "outputs"} for b in report["batches"]] == [
        {"lengths": [13], "lengths_of_labels": [6]},
        {"lengths": [1]},
        {"lengths": [13, 1, 6, 2], "lengths_of_labels": [6, 1, 3, 1]},
    ]


def _sliced(path: Path, end: int) -> Path:
    path.write_text(
        "extern_data = {'data': {'dim': 3}}\n"
        f"network = {{'cut': {{'class': 'slice', 'axis': 'T', 'slice_end': {end}, 'from': 'data'}},\n"
        "  'output': {'class': 'linear', 'activation': None, 'n_out': 2, 'from': 'cut'}}\n"
    )
    return path


def test_batches_that_the_network_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A slice that ends behind a single frame: longer sequences are taken in its place."""
    out, report = _told(_sliced(tmp_path / "net.py", 3), tmp_path / "m.onnx", capsys)
    assert "verified against the reference on 3 ragged batches" in out
    assert [b["lengths"] for b in report["batches"]] == [[13], [4], [13, 1, 6, 2]]


def test_a_network_that_refuses_every_batch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing was compared, which must not look as if it had been."""
    net = _sliced(tmp_path / "net.py", 100)
    out, report = _told(net, tmp_path / "m.onnx", capsys)
    reason = f"layer 'cut' ({net}:2, key 'slice_end'): the axis data.T is shorter than slice_end 100"
    assert "verified against" not in out
    assert out.splitlines()[1:5] == [
        "warning: NOT VERIFIED: the network itself refuses every random batch that was tried, so nothing was compared "
        "with the reference; compare it on data of its own: --check RECORDED.npz",
        f"note: refused: lengths [13]: {reason}",
        f"note: refused: lengths [1]: {reason}",
        f"note: refused: lengths [13, 1, 6, 2]: {reason}",
    ]
    assert report == {"ok": False, "rtol": 1e-4, "atol": 1e-5, "batches": [], "problems": []} | {
        "left_out": [f"lengths {lengths}: {reason}" for lengths in ([13], [1], [13, 1, 6, 2])]
    }


def test_an_input_along_a_derived_axis(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As many frames as the formula of its axis gives for the sequences of a batch."""
    (tmp_path / "net.py").write_text(
        "from returnn.tf.util.data import SpatialDim, FeatureDim, batch_dim\n"
        "time, feature = SpatialDim('time'), FeatureDim('feature', 3)\n"
        "extern_data = {'data': {'dim_tags': [batch_dim, time, feature]},\n"
        "  'half': {'dim_tags': [batch_dim, time.ceildiv_right(2), feature],\n"
        "    'available_for_inference': True}}\n"
        "network = {'pool': {'class': 'pool', 'mode': 'max', 'pool_size': (2,), 'padding': 'same', 'from': 'data',\n"
        "    'in_spatial_dims': [time]},\n"
        "  'output': {'class': 'combine', 'kind': 'add', 'from': ['pool', 'data:half']}}\n"
    )
    out, report = _told(tmp_path / "net.py", tmp_path / "m.onnx", capsys)
    assert "verified against the reference on 3 ragged batches" in out
    assert [b["lengths"] for b in report["batches"]] == [[13], [1], [13, 1, 6, 2]]
