"""How the types of previous steps are found: how often a layer is built for it, and what is said when they grow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from returnn_ir import load
from returnn_ir.axes.output import LayerOutput
from returnn_ir.axes.output_type import OutputType
from returnn_ir.construct.construct import construct
from returnn_ir.construct.scope import NetScope
from returnn_ir.errors import ProblemList
from returnn_ir.ir.dims import BATCH, Dim
from returnn_ir.ir.graph import Value
from returnn_ir.ir.types import TensorType
from returnn_ir.network.net import LayerDef, Net
from tests.layers.growing_loops import EXTERN_DATA, LOOPS, grown


def _net(path: Path, network: Mapping[str, Any], behavior_version: int = 0) -> Net:
    file = path / "net.py"
    file.write_text(f"network = {network!r}\nextern_data = {EXTERN_DATA!r}\nbehavior_version = {behavior_version}\n")
    return load(file)


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts how often the layer at a path is built."""
    count: Counter[str] = Counter()
    build = NetScope.build

    def counted(self: NetScope, definition: LayerDef) -> LayerOutput:
        count[definition.path] += 1
        return build(self, definition)

    monkeypatch.setattr(NetScope, "build", counted)
    return count


@pytest.mark.parametrize("mode", ["search", "train"])
@pytest.mark.parametrize("kind", LOOPS)
def test_builds_per_layer_do_not_grow(kind: str, mode: str, builds: Counter[str], tmp_path: Path) -> None:
    """In a loop of 48 layers none is built more often than those in a loop of 12."""
    most: list[int] = []
    for n in (12, 48):
        builds.clear()
        construct(_net(tmp_path, grown(LOOPS[kind](n))), mode)
        assert len(builds) > n
        most.append(max(builds.values()))
    assert most[1] <= most[0]


def _refusal(path: Path, unit: Mapping[str, Any]) -> str:
    network = {"output": {"class": "rec", "from": "data", "unit": unit}}
    with pytest.raises(ProblemList) as error:
        construct(_net(path, network), "train")
    return str(error.value).replace(str(path), "DIR")


def test_a_sum_that_grows_with_every_step(tmp_path: Path) -> None:
    """A concatenation with the layer's own past has no one size."""
    unit = {
        "x": {"class": "copy", "from": ["prev:x", "data:source"]},
        "output": {"class": "linear", "n_out": 3, "activation": None, "from": "x"},
    }
    assert _refusal(tmp_path, unit) == (
        "layer 'output/x' (DIR/net.py:1): the layer gives another type in each step of the loop\n"
        "  expected: one type in all steps\n"
        "  received: float32[B(batch), data.F(4)], then float32[B(batch), output/x.from(8)], "
        "then float32[B(batch), output/x.from(12)], then float32[B(batch), output/x.from(16)]\n"
        "  try: between two steps bring it back to one size, such as by a 'linear' with 'n_out'"
    )


def test_a_product_that_grows_with_every_step(tmp_path: Path) -> None:
    """Its axes would soon have more factors than can be written down; all layers of the circle are named."""
    unit = {
        "first": {"class": "constant", "value": True, "dtype": "bool", "with_batch_dim": False},
        "x": {
            "class": "cond",
            "from": [],
            "condition": "first",
            "true_layer": {"class": "copy", "from": "prev:again"},
            "false_layer": {"class": "copy", "from": "data:source"},
        },
        "row": {"class": "expand_dims", "axis": "spatial", "from": "x"},
        "outer": {"class": "dot", "from": ["row", "row"], "red1": "dim:1", "red2": "dim:1", "var1": "F", "var2": "F"},
        "merged": {"class": "merge_dims", "axes": "static", "from": "outer"},
        "again": {"class": "copy", "from": "merged"},
        "output": {"class": "linear", "n_out": 3, "activation": None, "from": "again"},
    }
    assert _refusal(tmp_path, unit) == (
        "layer 'output/again' (DIR/net.py:1): the layer gives another type in each step of the loop; "
        "so do 'output/x', 'output/row', 'output/outer' and others\n"
        "  expected: one type in all steps\n"
        "  received: float32[B(batch), 16], then float32[B(batch), 256], then float32[B(batch), 65536], "
        "then float32[B(batch), 4294967296]\n"
        "  try: between two steps bring it back to one size, such as by a 'linear' with 'n_out'"
    )


def _type(*axes: Dim) -> OutputType:
    return OutputType.of(LayerOutput.of(Value(TensorType("float32", axes)), axes))


def test_axes_that_only_an_initial_value_has() -> None:
    """Axes of one kind are counterparts: they are no further ones, whether they fit or not."""
    time, other, feature, same = Dim("t"), Dim("u"), Dim("f", 3, feature=True), Dim("g", 3, feature=True)
    heads = Dim("heads", 2)
    assert _type(feature).with_axes_of(_type(BATCH, same)).axes == (BATCH, feature)
    assert _type(BATCH, feature).with_axes_of(_type(time, BATCH, feature)).axes == (time, BATCH, feature)
    assert _type(BATCH, feature).with_axes_of(_type(heads, same)).axes == (heads, BATCH, feature)
    assert _type(BATCH, other).with_axes_of(_type(BATCH, time)).axes == (BATCH, other)
    assert _type(BATCH, heads).with_axes_of(_type(BATCH, feature)).axes == (BATCH, heads)
    assert _type().with_axes_of(_type(BATCH, time, feature)).time_dim is time
    assert _type().with_axes_of(_type(BATCH, time, feature)).feature_dim is feature


DIMS = """
from returnn.tensor import Dim, batch_dim
behavior_version = 21
time, feat, steps = Dim(None, name="time"), Dim(4, name="feat"), Dim(None, name="steps")
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
"""


def test_a_loop_over_a_dim_that_nobody_defines(tmp_path: Path) -> None:
    unit = '{"output": {"class": "constant", "value": 1.0}}'
    file = tmp_path / "net.py"
    file.write_text(f'{DIMS}network = {{"output": {{"class": "rec", "from": [], "axis": steps, "unit": {unit}}}}}\n')
    with pytest.raises(ProblemList) as error:
        construct(load(file), "train")
    assert str(error.value).replace(str(tmp_path), "DIR") == (
        "layer 'output' (DIR/net.py:6, key 'axis'): nothing says how long steps(dynamic) is\n"
        "  expected: a dim of an input or of a layer outside of the loop, or a layer 'end' in the unit"
    )
