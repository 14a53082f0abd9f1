"""Search loops of any size, whose layers read the step before of each other in different ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["EXTERN_DATA", "LOOPS", "grown"]

LayerDicts = dict[str, dict[str, Any]]

EXTERN_DATA = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True, "available_for_inference": False}}


def _linear(*sources: str, **more: Any) -> dict[str, Any]:
    return {"class": "linear", "activation": "tanh", "n_out": 4, "from": list(sources), **more}


def _before(i: int, first: str = "prev:embed") -> str:
    return f"l{i - 1}" if i else first


def _plain(n: int) -> LayerDicts:
    return {f"l{i}": _linear(_before(i)) for i in range(n)}


def _stacked(n: int) -> LayerDicts:
    """Each layer reads its own past."""
    return {f"l{i}": _linear(_before(i), f"prev:l{i}") for i in range(n)}


def _chain(n: int) -> LayerDicts:
    """What is chosen reaches the next layer one step later."""
    return {f"l{i}": _linear(f"prev:l{i - 1}" if i else "prev:embed") for i in range(n)}


def _backwards(n: int) -> LayerDicts:
    """The same with the layers written in the other order."""
    written = dict(reversed(_chain(n).items()))
    return {**written, "last": {"class": "copy", "from": f"l{n - 1}"}}


def _neighbours(n: int) -> LayerDicts:
    """Both neighbours are read; an axis of the encoder comes in at the one end."""
    layers: LayerDicts = {}
    for i in range(n):
        around = [f"prev:l{j}" for j in (i - 1, i + 1) if 0 <= j < n]
        layers[f"l{i}"] = _linear(*around, "base:encoder" if i == 0 else "prev:embed")
    layers[f"m{n}"] = {"class": "reduce", "mode": "mean", "axis": "T", "from": f"l{n - 1}"}
    return layers


def _circles(n: int) -> LayerDicts:
    """Circles of their own: in each one somebody has to begin."""
    layers: LayerDicts = {}
    for i in range(n):
        layers[f"c{i}"] = _linear(f"prev:l{i}", "prev:embed")
        layers[f"l{i}"] = {"class": "combine", "kind": "add", "from": [f"c{i}", f"prev:l{i}"]}
    layers["sum"] = {"class": "combine", "kind": "add", "from": [f"l{i}" for i in range(n)]}
    return layers


def _masked(n: int) -> LayerDicts:
    layers: LayerDicts = {"chosen": {"class": "compare", "kind": "not_equal", "value": 0, "from": "prev:output"}}
    for i in range(n):
        unit = _linear("data", f"prev:l{i}")
        layers[f"l{i}"] = {"class": "masked_computation", "mask": "chosen", "from": _before(i), "unit": unit}
    return layers


def _branches(n: int) -> LayerDicts:
    layers: LayerDicts = {"early": {"class": "compare", "kind": "less", "value": 3, "from": ":i"}}
    for i in range(n):
        one = _linear(_before(i), f"prev:l{i}")
        cond = {"class": "cond", "from": [], "condition": "early"}
        layers[f"l{i}"] = cond | {"true_layer": one, "false_layer": one | {"activation": "relu"}}
    return layers


def _inside(n: int) -> LayerDicts:
    """The chain is part of a nested network."""
    nested = {f"l{i}": _linear(f"prev:l{i - 1}" if i else "data") for i in range(n)}
    nested["output"] = {"class": "copy", "from": f"l{n - 1}"}
    return {"sub": {"class": "subnetwork", "from": "prev:embed", "subnetwork": nested}}


def _nested(n: int) -> LayerDicts:
    """Loops three deep, a third of the layers in each."""

    def level(depth: int) -> LayerDicts:
        base = "base:" * (4 - depth) + "encoder"
        first = "prev:embed" if depth == 3 else "data:source"
        layers = {f"l{i}": _linear(_before(i, first), f"prev:l{i}") for i in range(n // 3)}
        if depth > 1:
            layers["loop"] = {"class": "rec", "from": base, "unit": level(depth - 1)}
            layers["mean"] = {"class": "reduce", "mode": "mean", "axis": "T", "from": "loop"}
        sources = [f"l{n // 3 - 1}", *(["mean", "prev:joined"] if depth > 1 else [])]
        layers["joined" if depth == 3 else "output"] = _linear(
            *(s.replace("joined", "output") if depth < 3 else s for s in sources)
        )
        return layers

    return level(3)


#: By name, the layers of a body; the last one is what is chosen by.
LOOPS: dict[str, Callable[[int], LayerDicts]] = {
    "plain": _plain,
    "stacked": _stacked,
    "chain": _chain,
    "backwards": _backwards,
    "neighbours": _neighbours,
    "circles": _circles,
    "masked": _masked,
    "branches": _branches,
    "inside": _inside,
    "nested": _nested,
}


def grown(layers: LayerDicts) -> LayerDicts:
    """A network that searches with these layers in its loop."""
    last = list(layers)[-1]
    unit = {
        **layers,
        "prob": {"class": "softmax", "from": last, "target": "classes", "loss": "ce"},
        "output": {"class": "choice", "from": "prob", "target": "classes", "beam_size": 2, "initial_output": 0},
        "embed": {"class": "linear", "activation": None, "n_out": 4, "from": "output"},
        "end": {"class": "compare", "from": "output", "value": 0},
    }
    loop = {"class": "rec", "from": [], "target": "classes", "max_seq_len": 9, "unit": unit}
    return {"encoder": _linear("data"), "output": loop}
