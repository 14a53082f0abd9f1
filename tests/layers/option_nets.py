"""Small networks with options that no golden case uses, or uses only with their default value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from returnn_ir.config import Config
from returnn_ir.ir.dims import Dim
from tests.layers.option_uses import Case, Use

__all__ = ["UNUSED", "unused_option"]

EXTERN = {
    "data": {"dim": 3},
    "classes": {"dim": 5, "sparse": True},
    "other": {"dim": 5, "sparse": True},
    "image": {"shape": (None, 4, 3)},
    "vector": {"shape": (3,), "dim": 3},
}
MADE = Dim("made", None, declared=True)
SIZED = Dim("sized", 3, declared=True, feature=True)
LABELS = Dim("labels", 3, declared=True, feature=True)
Layers = dict[str, dict[str, Any]]


def _loop(output: dict[str, Any], source: Any = "data", end: dict[str, Any] | None = None, **loop: Any) -> Layers:
    """A loop over targets with a choice, a dict of whose options are given; ``end`` says where a search ends."""
    choice = {"class": "choice", "from": "p", "beam_size": 2, "target": "classes", "initial_output": 0, **output}
    unit = {
        "e": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"},
        "p": {"class": "softmax", "from": "e", "target": "classes"},
        "output": choice,
        **({"end": end} if end is not None else {}),
    }
    return {"x": {"class": "rec", "from": source, "target": "classes", "unit": unit, **loop}}


def _on_data(name: str, **options: Any) -> Layers:
    """One layer that reads the data."""
    return {"x": {"class": name, "from": "data", **options}}


def _grid(**options: Any) -> Layers:
    return {"x": {"class": "twod_lstm", "from": ["data", "data"], "n_out": 2, **options}}


def _source_free(name: str, **options: Any) -> Layers:
    return {"x": {"class": name, **options}}


def _score(layer: Any, scores_in: Any, scores_base: Any, **_context: Any) -> Any:
    return scores_base + scores_in


_COMBINED = {"custom_score_combine": _score}
_LENGTH = {"len": {"class": "length", "from": "data"}}
_HALF: Layers = {"half": {"class": "slice", "from": "data", "axis": "T", "slice_step": 2}}
_APART: Layers = {  # no axis but the batch in common
    "v": {"class": "reduce", "from": "data", "mode": "sum", "axes": "T"},
    "t": {"class": "reduce", "from": "data", "mode": "sum", "axes": "F"},
}
_MEAN: Layers = {"mean": {"class": "reduce", "from": "data", "mode": "mean", "axes": ["B", "T", "F"]}}
_SIZES: Layers = {"sizes": {"class": "constant", "value": 2, "shape": [2], "dtype": "int32", "with_batch_dim": True}}
_STFT = {"frame_shift": 1, "frame_size": 4, "fft_size": 4}
_WINDOW: Layers = {"w": {"class": "window", "from": "data", "window_size": 2, "padding": "valid"}}
_LOSS: Layers = {
    "logits": {"class": "linear", "activation": None, "from": "data", "n_out": 6},
    "p": {"class": "softmax", "from": "data", "n_out": 5},
}

#: (class, option) or (class, option, mode): a network whose layer "x", or the layer named by ``at``, has it.
UNUSED: dict[tuple[str, ...], Layers] = {
    ("activation", "dropout_axis", "train"): _on_data("activation", activation="relu", dropout=0.5, dropout_axis="F"),
    ("linear", "darc1"): _on_data("linear", activation=None, n_out=2, darc1=0.5),
    ("linear", "dropout_on_forward"): _on_data(
        "linear", activation=None, n_out=2, dropout=0.5, dropout_on_forward=True
    ),
    ("dropout", "dropout_on_forward"): _on_data("dropout", dropout=0.5, dropout_on_forward=True),
    ("linear", "param_dropout_min_ndim", "train"): _on_data(
        "linear", activation=None, n_out=2, param_dropout=0.5, param_dropout_min_ndim=2
    ),
    ("linear", "grad_filter"): _on_data("linear", activation=None, n_out=2, grad_filter=0.5),
    ("combine", "out_shape"): {**_APART, "x": {"class": "combine", "kind": "add", "from": ["v", "t"], "out_shape": {}}},
    ("softmax", "loss_only_on_non_search", "search"): _on_data(
        "softmax", loss="ce", target="classes", loss_only_on_non_search=True
    ),
    ("batch_norm", "fused"): _on_data("batch_norm", fused=True, masked_time=False),
    ("batch_norm", "fused_bn"): _on_data("batch_norm", fused_bn=True, masked_time=False),
    ("batch_norm", "axes"): _on_data("batch_norm", axes="T", masked_time=False),
    ("choice", "add_to_beam_scores", "search"): _loop({"search": False, "add_to_beam_scores": False}),
    ("choice", "explicit_search_source", "search"): _loop({**_COMBINED, "explicit_search_source": "prev:output"}),
    ("choice", "explicit_search_sources", "search"): _loop({**_COMBINED, "explicit_search_sources": ["prev:output"]}),
    ("rec", "size_target", "search"): _loop({}, source=[], size_target="other"),
    ("rec", "max_seq_len_via", "search"): {
        **_LENGTH,
        **_loop({}, end={"class": "compare", "from": "output", "value": 0}, max_seq_len_via="len", source=[]),
    },
    ("combine", "eval_for_output_loss"): _on_data("combine", kind="eval", eval="source(0)", eval_for_output_loss=True),
    ("compare", "allow_broadcast_all_sources"): {
        **_APART,
        "x": {"class": "compare", "from": ["v", "t"], "allow_broadcast_all_sources": True},
    },
    ("eval", "allow_broadcast_all_sources"): {
        **_APART,
        "x": {
            "class": "eval",
            "eval": "source(0) + source(1)",
            "from": ["v", "t"],
            "allow_broadcast_all_sources": True,
        },
    },
    ("eval", "activation"): _on_data("eval", eval="source(0)", activation="relu"),
    ("eval", "with_bias"): _on_data("eval", eval="source(0)", with_bias=True),
    ("eval", "eval_for_output_loss"): _on_data("eval", eval="source(0)", eval_for_output_loss=True),
    ("constant", "sparse_dim"): _source_free("constant", value=1, dtype="int32", sparse_dim=LABELS),
    ("constant", "feature_dim"): _source_free("constant", value=1.0, shape=[Dim("rows", 2), SIZED], feature_dim=SIZED),
    ("constant", "shape_deps"): _source_free("constant", value=1.0, shape=[SIZED], shape_deps=["data"]),
    ("conv", "pad_seq_len_to_power"): _on_data(
        "conv", n_out=2, filter_size=(3,), padding="same", strides=2, activation=None, pad_seq_len_to_power=1.5
    ),
    ("ctc_loss", "logits_normalized"): {
        **_LOSS,
        **_source_free("ctc_loss", logits="logits", targets="data:classes", logits_normalized=True),
    },
    ("ctc_loss", "label_loop"): {
        **_LOSS,
        **_source_free("ctc_loss", logits="logits", targets="data:classes", label_loop=False),
    },
    ("dct", "n"): _on_data("dct", n=2),
    ("split_batch_beam", "beam_dim", "search"): {
        **_loop({}),
        "y": {"class": "split_batch_beam", "from": "x", "beam_dim": Dim("beam", 2)},
    },
    ("fold", "out_spatial_dim"): {
        **_WINDOW,
        "x": {
            "class": "fold",
            "mode": "sum",
            "from": "w",
            "in_spatial_dim": "T",
            "window_dim": "static:0",
            "padding": "valid",
            "out_spatial_dim": MADE,
        },
    },
    ("gauss_window_attention", "inner_size"): {
        "mean": {"class": "reduce", "from": "data", "mode": "mean", "axes": ["T", "F"]},
        "x": {
            "class": "gauss_window_attention",
            "base": "data",
            "from": "mean",
            "window_size": 2,
            "inner_size": 2,
            "inner_size_step": 0.5,
        },
    },
    ("gauss_window_attention", "inner_size_step"): {
        "mean": {"class": "reduce", "from": "data", "mode": "mean", "axes": ["T", "F"]},
        "x": {
            "class": "gauss_window_attention",
            "base": "data",
            "from": "mean",
            "window_size": 2,
            "inner_size": 2,
            "inner_size_step": 0.5,
        },
    },
    ("length", "dtype"): _on_data("length", axis="F", dtype="float32"),
    ("loss", "loss_opts_"): {
        **_LOSS,
        **_source_free("loss", loss_="ce", target_="classes", **{"from": "p"}, loss_opts_={"focal_loss_factor": 2.0}),
    },
    ("loss", "use_error"): {
        **_LOSS,
        **_source_free("loss", loss_="ce", target_="classes", **{"from": "p"}, use_error=True),
    },
    ("multichannel_stft_layer", "use_rfft"): _on_data("multichannel_stft_layer", use_rfft=False, **_STFT),
    ("pad", "out_dims"): _on_data("pad", axes="T", padding=(1, 1), out_dims=MADE),
    ("print", "extra_print_args"): _on_data("print", extra_print_args=("here",)),
    ("rand_int", "dtype"): _source_free("rand_int", shape=(3,), maxval=5, dtype="int64"),
    ("rand_int", "sparse_dim"): _source_free("rand_int", shape=(2,), maxval=3, sparse_dim=LABELS),
    ("rand_int", "seed"): _source_free("rand_int", shape=(3,), maxval=5, seed=7),
    ("random", "sparse_dim"): _source_free(
        "random", shape=[SIZED], distribution="uniform", minval=0, maxval=3, dtype="int32", sparse_dim=LABELS
    ),
    ("random", "feature_dim"): _source_free(
        "random", shape=[Dim("rows", 2), SIZED], distribution="normal", mean=0.0, stddev=1.0, feature_dim=SIZED
    ),
    ("random", "algorithm"): _source_free(
        "random", shape=[SIZED], distribution="normal", mean=0.0, stddev=1.0, static=True, seed=1, algorithm="other"
    ),
    ("random", "shape_deps"): _source_free(
        "random", shape=[SIZED], distribution="normal", mean=0.0, stddev=1.0, shape_deps=["data"]
    ),
    ("random_state_init", "algorithm"): _source_free("random_state_init", algorithm="other"),
    ("range", "out_spatial_dim"): _source_free("range", limit=3, out_spatial_dim=Dim("made", 3)),
    ("range", "sparse"): _source_free("range", limit=3, sparse=True),
    ("range_from_length", "dtype"): {**_LENGTH, "x": {"class": "range_from_length", "from": "len", "dtype": "int64"}},
    ("range_from_length", "sparse"): {**_LENGTH, "x": {"class": "range_from_length", "from": "len", "sparse": True}},
    ("range_from_length", "out_spatial_dim"): {
        **_LENGTH,
        "x": {"class": "range_from_length", "from": "len", "out_spatial_dim": MADE},
    },
    ("range_in_axis", "unbroadcast"): _on_data("range_in_axis", axis="T", unbroadcast=True),
    ("scaled_grad", "scale_shift_by_sum_over_axis"): _on_data(
        "scaled_grad", scale=2.0, scale_shift_by_sum_over_axis="F"
    ),
    ("scaled_grad", "clip_max_axis"): _on_data("scaled_grad", scale=2.0, clip_max_axis="F"),
    ("self_attention", "initial_state"): _on_data(
        "self_attention",
        num_heads=1,
        total_key_dim=2,
        n_out=2,
        attention_left_only=True,
        initial_state="keep_over_epoch",
    ),
    ("self_attention", "state_var_lengths"): _on_data(
        "self_attention", num_heads=1, total_key_dim=2, n_out=2, attention_left_only=True, state_var_lengths=lambda: 0
    ),
    ("seq_len_mask", "seq_len_source"): {
        "len": {"class": "eval", "from": "lens", "eval": "source(0) - 1"},
        "lens": {"class": "length", "from": "data"},
        **_on_data("seq_len_mask", mask_value=0.0, seq_len_source="len"),
    },
    ("slice_nd", "out_spatial_dim"): _on_data("slice_nd", start=0, size=2, out_spatial_dim=Dim("made", 2)),
    ("split", "out_dims"): _on_data("split", axis="F", size_splits=[1, 2], out_dims=[Dim("a", 1), Dim("b", 2)]),
    ("stack", "out_spatial_dim"): {
        "x": {"class": "stack", "from": ["data", "data"], "out_spatial_dim": Dim("made", 2)}
    },
    ("subnetwork", "load_on_init"): _on_data(
        "subnetwork", load_on_init="model", subnetwork={"output": {"class": "linear", "activation": None, "n_out": 2}}
    ),
    ("tile", "out_dims"): _on_data("tile", multiples={"F": 2}, out_dims={"F": Dim("made", 6)}),
    ("time_chunking", "axis"): _on_data("time_chunking", chunk_size=2, chunk_step=1, axis="F"),
    ("variable", "add_time_axis"): _source_free("variable", shape=(3,), add_batch_axis=True, add_time_axis=True),
    ("variable", "init_by_layer"): {**_LENGTH, **_source_free("variable", shape=(3,), init_by_layer="len")},
    ("variable", "param_name"): _source_free("variable", shape=(3,), param_name="other"),
    ("random", "auto_update_state"): {
        "state": {"class": "random_state_init"},
        **_source_free("random", shape=[SIZED], distribution="uniform", explicit_state="state", auto_update_state=True),
    },
    ("random", "stop_grad"): {
        **_MEAN,
        **_source_free("random", shape=[SIZED], distribution="normal", mean="mean", stop_grad=True),
    },
    ("scatter_nd", "out_spatial_dim"): {
        "at": {"class": "range_in_axis", "from": "data", "axis": "T"},
        **_on_data("scatter_nd", position="at", position_axis="T", out_spatial_dim=Dim("made", 9)),
    },
    ("subnetwork", "dropout_noise_shape", "train"): _on_data(
        "subnetwork", subnetwork={"output": {"class": "copy"}}, dropout=0.5, dropout_noise_shape={"*": None}
    ),
    ("unflatten_nd", "in_dim"): {**_SIZES, **_on_data("unflatten_nd", sizes="sizes", num_axes=2, in_dim="T")},
    ("unflatten_nd", "out_dims"): {
        **_SIZES,
        **_on_data("unflatten_nd", sizes="sizes", num_axes=2, out_dims=[MADE, Dim("width", None, declared=True)]),
    },
    ("unflatten_nd", "declare_same_sizes_as"): {
        **_SIZES,
        **_on_data("unflatten_nd", sizes="sizes", num_axes=2, declare_same_sizes_as={0: "data:other"}),
    },
    ("reshape", "extra_deps"): {
        "deep": {"class": "linear", "activation": None, "n_out": 2, "from": "data"},
        **_on_data("reshape", in_dims=["F"], out_dims=[Dim("a", 3)], extra_deps=["deep"], is_output_layer=True),
    },
    ("masked_computation", "in_spatial_dim"): {
        "m": {"class": "compare", "kind": "greater", "from": "len0", "value": 1},
        "len0": {"class": "range_in_axis", "from": "data", "axis": "T"},
        **_on_data("masked_computation", mask="m", unit={"class": "copy", "from": "data"}, in_spatial_dim=MADE),
    },
    ("masked_computation", "out_spatial_dim"): {
        "m": {"class": "compare", "kind": "greater", "from": "len0", "value": 1},
        "len0": {"class": "range_in_axis", "from": "data", "axis": "T"},
        **_on_data("masked_computation", mask="m", unit={"class": "copy", "from": "data"}, out_spatial_dim=MADE),
    },
    ("twod_lstm", "pooling"): _grid(pooling="max"),
    ("twod_lstm", "unit_opts"): _grid(unit_opts={"depth": 2}),
    ("twod_lstm", "forward_weights_init"): _grid(forward_weights_init=0.1),
    ("twod_lstm", "recurrent_weights_init"): _grid(recurrent_weights_init=0.1),
    ("edit_distance_table", "axis"): _on_data("edit_distance_table", axis="T"),
}


def unused_option(key: tuple[str, ...]) -> Use:
    """The option of that entry in its network."""
    name, option = key[:2]
    network = UNUSED[key]
    config = Config(Path("net.py"))
    version = 4 if option in ("out_shape", "allow_broadcast_all_sources") else 0
    config.update({"extern_data": EXTERN, "network": network, "behavior_version": version})
    config.executed = True  # functions in a network are code, which only a config in Python has
    keys = next(keys for keys, layer in _layers(network) if layer["class"] == name and option in layer)
    case = Case(" ".join(key), key[2] if len(key) > 2 else "eval", config, network)
    return Use(case, (*keys, option), _value(network, (*keys, option)))


def _layers(network: Any, around: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    found = []
    for name, layer in network.items():
        if isinstance(layer, dict) and isinstance(layer.get("class"), str):
            found += [((*around, name), layer), *_layers(layer, (*around, name))]
        elif isinstance(layer, dict):
            found += _layers(layer, (*around, name))
    return found


def _value(network: Any, keys: tuple[str, ...]) -> object:
    for key in keys:
        network = network[key]
    return network
