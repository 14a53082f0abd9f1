"""Lines of layers and keys."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from returnn_ir.config import load_config
from returnn_ir.config.source_map import SourceMap

CONFIG = """\
from copy import deepcopy
extern_data = {"data": {"dim": 3}}
network = {
    "enc": {"class": "linear",
            "activation": "tanh"},
    "rec": {"class": "rec", "unit": {
        "sub": {"class": "linear",
                "n_out": 4},
        "deep": {"class": "subnetwork", "subnetwork": {
            "sub": {"class": "copy"}}},
    }},
    **{"more": {"class": "copy"}},
}
network["late"] = dict(
    n_out=3,
    **{"class": "linear"})
network["late"]["from"] = "enc"
network.update({
    "updated": {"class": "copy"}}, by_keyword={
    "class": "copy"})
for i in range(3):
    network[f"layer_{i}_a"] = {"class": "copy", "from": "enc"}
    network["plus_" + str(i)] = {"class": "copy"}
    network["old%i" % i] = {"class": "copy"}
    network["new{}".format(i)] = {"class": "copy"}
network |= dict([("tuple_%s" % k, {"class": "copy"}) for k in "ab"])
network.update({f"comp_{k}": {"class": "copy"} for k in "ab"})
unit = {"named": {"class": "copy"}}
network["by_variable"] = {"class": "rec", "unit": unit}
unit["grown"] = {"class": "copy"}
x, batch_size = 1, \\
    2
def add(net, name):
    net[name + "_out"] = {"class": "copy"}
    net[name + "_ff"] = {"class": "copy"}
    net[name + "_ff"] = {
        "class": "linear"}
    net["fixed"] = {"class": "copy"}
    return net
add(network, "att")
other = {"twice": {"class": "copy"}}
another = {"twice": {"class": "copy"}}
network["copied"] = deepcopy(network["enc"])
"""


@pytest.fixture(scope="module")
def source_map() -> SourceMap:
    result = SourceMap()
    result.add_python("net.py", CONFIG)
    return result


@pytest.mark.parametrize(
    ("layer", "key", "line"),
    [
        ("enc", None, 4),
        ("enc", "activation", 5),
        ("enc", "not_there", 4),
        ("rec", "unit", 6),
        ("rec/sub", None, 7),
        ("rec/sub", "n_out", 8),
        ("rec/deep/sub", None, 10),
        ("more", None, 12),
        ("late", None, 14),
        ("late", "n_out", 15),
        ("late", "class", 16),
        ("late", "from", 17),
        ("updated", None, 19),
        ("by_keyword", None, 19),
        ("by_keyword", "class", 20),
        ("layer_1_a", None, 22),
        ("plus_7", None, 23),
        ("old1", None, 24),
        ("new1", None, 25),
        ("tuple_a", None, 26),
        ("comp_a", None, 27),
        ("by_variable/named", None, 28),
        ("by_variable/grown", None, 30),
        ("att_out", None, 34),
        ("fixed", None, 38),
        ("rec/fixed", None, 38),
        ("copied", None, 43),
        ("copied", "activation", 5),
        (None, "extern_data", 2),
        (None, "batch_size", 31),
        (None, "add", 33),
    ],
)
def test_lines(source_map: SourceMap, layer: str | None, key: str | None, line: int) -> None:
    assert source_map.find(layer, key) == ("net.py", line)


@pytest.mark.parametrize(("layer", "key"), [("att_ff", None), ("twice", None), ("absent", None), (None, "absent")])
def test_unknown_or_ambiguous(source_map: SourceMap, layer: str | None, key: str | None) -> None:
    assert source_map.find(layer, key) == (None, None)


def test_origin_names_the_file_where_the_line_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(CONFIG, encoding="utf-8")
    config = load_config(path)
    assert config.network is not None
    assert str(config.origin("rec/sub", "n_out")) == f"layer 'rec/sub' ({path}:8, key 'n_out')"
    assert str(config.origin("twice")) == f"layer 'twice' ({path})"


def test_json_lines() -> None:
    source_map = SourceMap()
    text = """\
    {"network": { // {
      "a": {"class": "x", "from": ["data", {"class": 1}],
            "n_out": "}:{"},
      "b": {"unit": {
         "c": {"class": "y"}}}}}
    """
    source_map.add_json("net.json", textwrap.dedent(text))
    assert source_map.find("a", None) == ("net.json", 2)
    assert source_map.find("a", "n_out") == ("net.json", 3)
    assert source_map.find("b/c", "class") == ("net.json", 5)
    assert source_map.find(None, "network") == ("net.json", 1)
