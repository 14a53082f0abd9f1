"""A class that RETURNN has, and that is not built, is told apart from one that nobody has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from returnn_ir import load
from returnn_ir.config.returnn_classes import NAMES, Kind, hint_for, not_built
from returnn_ir.errors import UserError
from returnn_ir.layers.recurrent.cells.registry import LSTM_BLOCKS, OTHER_NAMES, REFUSED, UNITS
from returnn_ir.network.layer_registry import find_layer, layer_names
from returnn_ir.network.loss_registry import loss_names
from runtime.datasets.registry import NOT_BUILT, dataset_names
from runtime.optimizers.registry import find_optimizer, why_not_built
from tests.config.record_classes import DATA

RECORDED: dict[str, list[str]] = json.loads(DATA.read_text(encoding="utf-8"))
HEADER = 'extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}\n'
#: Classes of RETURNN that only others are made of.
BASES = {"CachedDataset", "CachedDataset2", "Dataset", "GeneratingDataset"}


def _message(folder: Path, layer: str, before: str = "") -> str:
    path = folder / "net.py"
    path.write_text(f'{before}{HEADER}network = {{"output": {layer}}}\n', encoding="utf-8")
    with pytest.raises(UserError) as caught:
        from compiler.program.named import build_named

        build_named(load(path), "train")
    return str(caught.value).replace(str(path), "net.py")


@pytest.mark.parametrize("kind", NAMES)
def test_names_are_those_of_returnn(kind: Kind) -> None:
    assert sorted(NAMES[kind]) == RECORDED[kind]


def test_every_name_of_returnn_is_built_or_known() -> None:
    assert set(layer_names()) - set(RECORDED["layer class"]) == {"scaled_gradient"}
    assert set(loss_names()) <= set(RECORDED["loss"])
    assert set(RECORDED["unit"]) <= {*UNITS, *OTHER_NAMES, *LSTM_BLOCKS, *REFUSED}
    assert {n for n in RECORDED["optimizer"] if find_optimizer(n) is None and why_not_built(n) is None} == set()
    assert set(RECORDED["dataset class"]) - {*dataset_names(), *NOT_BUILT} <= BASES


@pytest.mark.parametrize("name", [*not_built("layer class", layer_names()), "layer_of_nobody"])
def test_layer_classes(name: str, tmp_path: Path) -> None:
    what = _message(tmp_path, f'{{"class": "{name}", "from": "data"}}').partition("\n")[0]
    if name == "layer_of_nobody":
        assert what == "layer 'output' (net.py:2, key 'class'): unknown layer class 'layer_of_nobody'"
    else:
        start = f"layer 'output' (net.py:2, key 'class'): RETURNN has the layer class {name!r}, it is not built here"
        assert what.startswith(start)


def test_the_reason_is_told(tmp_path: Path) -> None:
    assert _message(tmp_path, '{"class": "kenlm", "from": "data"}') == (
        "layer 'output' (net.py:2, key 'class'): RETURNN has the layer class 'kenlm', it is not built here: "
        "it needs the KenLM library and a file of it at run time\n"
        "  try: combine the scores outside of the model"
    )


@pytest.mark.parametrize("name", not_built("loss", loss_names()))
def test_losses(name: str, tmp_path: Path) -> None:
    message = _message(tmp_path, f'{{"class": "softmax", "from": "data", "loss": "{name}", "target": "classes"}}')
    assert message.startswith(
        f"layer 'output' (net.py:2, key 'loss'): RETURNN has the loss {name!r}, it is not built here: "
    )
    assert message.endswith("\n  try: docs/support.md lists what is built, and what is not")


def test_another_way_names_layers_that_exist() -> None:
    for name in not_built("layer class", layer_names()):
        named = (hint_for("layer class", name, []) or "").split("'")[1::2]
        assert all(find_layer(part) or part == "mask_value" for part in named), name


def test_vocabularies(tmp_path: Path) -> None:
    code = "from returnn.datasets.util.vocabulary import Vocabulary\nv = Vocabulary.create_vocab(**{'class': '%s'})\n"
    known = "\n  expected: Vocabulary, BytePairEncoding, SamplingBytePairEncoding"
    assert _message(tmp_path, "{}", code % "SentencePieces") == (
        f"net.py:2: RETURNN has the vocabulary class 'SentencePieces', it is not built here{known}"
    )
    assert _message(tmp_path, "{}", code % "Sentences") == f"net.py:2: unknown vocabulary class 'Sentences'{known}"


def test_own_layer_classes(tmp_path: Path) -> None:
    code = (
        "from returnn.tf.layers.basic import register_layer_class, LayerBase\n"
        "class Mine(LayerBase):\n    layer_class = 'kenlm'\nregister_layer_class(Mine)\n"
    )
    assert _message(tmp_path, '{"class": "kenlm", "from": "data"}', code) == (
        "layer 'output' (net.py:6, key 'class'): "
        "the config's own layer class 'kenlm' is TensorFlow code, which cannot be compiled\n"
        "  try: an eval layer, or a subnetwork of RETURNN's layers"
    )
