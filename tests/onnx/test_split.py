"""The split layout of a search: four files and a host that does no arithmetic give the bits of the single file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from compiler.check.recorded import read_recorded
from compiler.cli import main
from returnn_ir.errors import UserError
from runtime.search_driver import SearchDriver
from runtime.session import OnnxSession

SEARCH = Path(__file__).parents[1] / "golden" / "search"


@pytest.mark.parametrize("case", ["beam4_length_norm", "fixed_length", "lm_fusion", "two_choices"])
def test_both_layouts_give_the_same_bits(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net, params = SEARCH / f"{case}.py", str(SEARCH / f"{case}.npz")
    command = [str(net), "--target", "onnx", "--mode", "search", "--params", params, "--fetch", "output"]
    assert main([*command, "-o", str(tmp_path / "whole.onnx")]) == 0
    assert main([*command, "-o", str(tmp_path / "parts"), "--layout", "split"]) == 0
    assert "the parts give the bits of the whole" in capsys.readouterr().out
    inputs = {k: v for k, v in read_recorded(SEARCH / f"{case}.npz").inputs.items() if k.startswith("data")}
    whole = OnnxSession(tmp_path / "whole.onnx").run(inputs)
    parts = SearchDriver(tmp_path / "parts").run(inputs)
    assert set(whole) == set(parts)
    assert {"output", "output/beam_scores"} <= set(whole)
    for name, value in whole.items():
        np.testing.assert_array_equal(parts[name], value, err_msg=name)


def test_no_matrix_crosses_the_cut(tmp_path: Path) -> None:
    """Gates of a cell are put into another order in front of the loop: the step does that itself, from its parameters.

    With layers this wide kernels for packed matrices round differently; the export compares the bits.
    """
    net = Path(__file__).parents[2] / "examples" / "attention.py"
    assert main([str(net), "--target", "onnx", "--mode", "search", "--layout", "split", "-o", str(tmp_path)]) == 0
    step = onnx.load(tmp_path / "step.onnx")
    shapes = {i.name: [d.dim_param or d.dim_value for d in i.type.tensor_type.shape.dim] for i in step.graph.input}
    assert len(shapes) > 5
    assert all("B" in shape for name, shape in shapes.items() if name != "i"), shapes


def test_a_net_without_search(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = SEARCH.parent / "dense" / "softmax_ce.py"
    assert main([str(net), "--target", "onnx", "--layout", "split", "-o", str(tmp_path / "parts")]) == 2
    assert "the split layout needs exactly one search" in capsys.readouterr().err


def test_a_missing_part(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no encoder\.onnx"):
        SearchDriver(tmp_path)
