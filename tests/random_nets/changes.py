"""Changes of a net that nobody would plan: options of the layers' classes at random, other sources, another order.

What a family writes is nearly always accepted; here RETURNN has something to refuse, and so have we.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from returnn_ir.network.layer_options import LayerRef
from returnn_ir.network.layer_registry import find_layer
from returnn_ir.options import Described, Range, option_fields

__all__ = ["change"]

Layers = dict[str, dict[str, Any]]

#: So often a net is changed in each way.
_OPTIONS, _SOURCE, _ORDER = 0.4, 0.12, 0.3

#: What numbers are drawn from, as far as the option's range allows.
_FLOATS = (0.0, 0.1, 0.5, 0.9, 1.0, 2.0, -1.0)
_INTEGERS = (0, 1, 2, 3, -1)
_AXES = ("T", "F", "B", "time", "static", "spatial:0", "spatial", "dim:2", "except_batch")
#: Options whose type is any text, or any value, with some that RETURNN knows.
_VALUES: dict[str, tuple[Any, ...]] = {
    "activation": ("tanh", "relu", None, "softmax", "log_sigmoid", "sigmoid"),
    "batch_norm": (True, {"masked_time": True}, {"masked_time": False}),
    "bias_init": ("ones", 0.3),
    "forward_weights_init": ("glorot_normal", 0.2),
    "initial_output": ("zeros", "ones", 0.5, "var"),
    "initial_state": ("zeros", "ones", "var"),
    "kind": ("add", "mul", "greater", "equal", "nn", "linear"),
    "mode": ("sum", "max", "mean", "avg", "min", "argmax", "reflect", "symmetric", "logsumexp"),
    "padding": ("same", "valid", 1),
    "name_scope": ("scope", ""),
    "out_type": ({}, {"dtype": "float32"}),
    "side": ("left", "right"),
    "unit": ("nativelstm2", "lstmblock", "gru", "standardlstm"),
}
#: Options of all layers that are drawn; the others have a family, or say nothing about numbers.
_COMMON = ("L2", "batch_norm", "darc1", "dropout", "initial_output", "name_scope", "spatial_smoothing", "trainable")
#: They draw random numbers, write files or hide what is compared.
_NOT_DRAWN = {"seed", "load_on_init", "random_sample_scale", "scheduled_sampling", "filename", "dropout_on_forward"}
#: An option whose value another one has to match is no discovery.
_KEPT = {"class", "from", "target", "n_out", "out_dim", "loss", "unit", "eval", "subnetwork"}


def change(random: Random, layers: Layers, mode: str) -> Layers:
    """The layers with some changes, or as they were."""
    if random.random() < _OPTIONS:
        for _ in range(random.randint(1, 3)):
            _change_option(random, *random.choice(list(_nested(layers))), mode)
    if random.random() < _SOURCE:
        _change_source(random, *random.choice(list(_nested(layers))))
    if random.random() < _ORDER:
        return dict(random.sample(list(layers.items()), len(layers)))
    return layers


def _nested(layers: Layers) -> Iterator[tuple[Layers, dict[str, Any]]]:
    """Each layer with the network that it stands in, those of nested networks too."""
    for layer in layers.values():
        yield layers, layer
        for key in ("unit", "subnetwork"):
            if isinstance(layer.get(key), Mapping) and "class" not in layer[key]:
                yield from _nested(layer[key])


def _change_option(random: Random, layers: Layers, layer: dict[str, Any], mode: str) -> None:
    """Give a layer an option that it does not have, or another value of one that it has."""
    spec = find_layer(layer["class"])
    assert spec is not None
    common = {field.keys[0] for base in spec.options.__mro__[1:-1] for field in option_fields(base)}
    fields = [f for f in option_fields(spec.options) if f.keys[0] not in common or f.keys[0] in _COMMON]
    fields = [f for f in fields if f.keys[0] not in _NOT_DRAWN | _KEPT]
    if mode != "eval":
        fields = [f for f in fields if "dropout" not in f.keys[0] and f.keys[0] not in ("L2", "darc1")]
    if not fields:
        return
    chosen = random.choice(fields)
    values = _VALUES.get(chosen.keys[0]) or tuple(_values(chosen.hint, list(layers)))
    if values:
        layer[chosen.keys[0]] = random.choice(values)


def _values(hint: Any, names: list[str]) -> Iterator[Any]:
    """Some values of a type; none of types that say too little."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint is LayerRef:
        yield from names
    elif origin in (Union, UnionType):
        for part in parts:
            yield from _values(part, names)
    elif origin is Literal:
        yield from parts[:4]
    elif origin is Annotated:
        limits = [marker for marker in parts[1:] if isinstance(marker, Range)]
        if any(isinstance(marker, Described) and "axis" in marker.text for marker in parts[1:]):
            yield from _AXES
        yield from (v for v in _values(parts[0], names) if all(v in limit for limit in limits))
    elif hint is bool:
        yield from (True, False)
    elif hint is int:
        yield from _INTEGERS
    elif hint is float:
        yield from _FLOATS


def _change_source(random: Random, layers: Layers, layer: dict[str, Any]) -> None:
    """Let a layer read another one, an earlier one so that there is no circle."""
    before = list(layers)[: list(layers.values()).index(layer)]
    if before and isinstance(layer.get("from"), str):
        layer["from"] = random.choice(before)
