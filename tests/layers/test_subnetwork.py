"""Subnetworks: what they take, what they are told, their dropout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.program.program import Program, compile_net
from returnn_ir import load
from returnn_ir.errors import UserError

DATA = np.random.default_rng(1).standard_normal((2, 4, 3)).astype(np.float32)
FEED: dict[str, np.ndarray[Any, Any]] = {"data": DATA, "data/size1": np.asarray([4, 2], np.int64)}


def program(tmp_path: Path, subnetwork: dict[str, Any], mode: str = "forward", **options: Any) -> Program:
    """A network that is one subnetwork."""
    network = {"output": {"class": "subnetwork", "from": "data", "subnetwork": subnetwork, **options}}
    path = tmp_path / "net.py"
    path.write_text(f"extern_data = {{'data': {{'dim': 3}}}}\nnetwork = {network!r}\n")
    return compile_net(load(path), target="reference", mode=mode)


COPY = {"output": {"class": "copy", "from": "data"}}
BOTH = {"output": {"class": "combine", "kind": "sub", "from": ["data:0", "data:1"]}}


@pytest.mark.parametrize(
    ("subnetwork", "options", "told"),
    [
        ({"x": {"class": "copy", "from": "data"}}, {}, "needs a layer 'output'"),
        ({"output": {"class": "copy", "from": "nowhere"}}, {}, "layer 'output/output'"),
        ({"output": {"class": "copy", "from": "base:nowhere"}}, {}, "there is no layer 'nowhere'"),
        ({"output": {"class": "copy", "from": "data:1"}}, {}, "no data key '1'"),
        ({"output": {"class": "copy", "from": "data", "bogus": 1}}, {}, "unknown option 'bogus'"),
        (COPY, {"load_on_init": {"file": "model"}}, "load_on_init is not understood"),
        (COPY, {"load_on_init": {"filename": "model", "prefix": ""}}, "no option 'prefix'"),
    ],
)
def test_what_is_wrong_is_said(subnetwork: dict[str, Any], options: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        program(tmp_path, subnetwork, **options)
    assert told in str(caught.value)


def test_dropout_of_the_sources(tmp_path: Path) -> None:
    assert np.array_equal(program(tmp_path, COPY, dropout=0.5).run(FEED, {})["output/output"], DATA)
    found = program(tmp_path, COPY, "train", dropout=0.5, dropout_noise_shape={"*": None}).run(FEED, {})
    kept = found["output/output"] != 0
    assert 0 < kept.sum() < kept.size
    np.testing.assert_allclose(found["output/output"][kept], 2 * DATA[kept], rtol=1e-6)


def test_each_separate_source_draws_for_itself(tmp_path: Path) -> None:
    options = {"from": ["data", "data"], "concat_sources": False, "dropout": 0.5, "dropout_noise_shape": {"*": None}}
    assert program(tmp_path, BOTH, "train", **options).run(FEED, {})["output/output"].any()


LINEAR = {"output": {"class": "linear", "n_out": 2, "activation": None, "from": "data"}}


def test_load_on_init(tmp_path: Path) -> None:
    """The names in the checkpoint are those inside of the subnetwork; the file is read for the initial values only."""
    tensorflow = pytest.importorskip("tensorflow")
    prefix = str(tmp_path / "model")
    weights = {"output/W": np.ones((3, 2), np.float32), "output/b": np.full(2, 2, np.float32)}
    tensorflow.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=list(weights),
        shape_and_slices=["", ""],
        tensors=[tensorflow.constant(v) for v in weights.values()],
    )
    found = program(tmp_path, LINEAR, load_on_init=prefix).initial_params()
    np.testing.assert_array_equal(found["output/output/W"], weights["output/W"])
    options = {"filename": prefix, "ignore_params": ["output/b"]}
    found = program(tmp_path, LINEAR, load_on_init=options).initial_params()
    np.testing.assert_array_equal(found["output/output/b"], np.zeros(2))


def test_load_on_init_without_its_file(tmp_path: Path) -> None:
    made = program(tmp_path, LINEAR, load_on_init=str(tmp_path / "gone"))
    with pytest.raises(UserError, match="gone"):
        made.initial_params()
