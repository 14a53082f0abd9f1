"""Layers that work on the feature axis: matrices, activations, norms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.random_nets.registry import family
from tests.random_nets.sketch import Sketch, Unsuitable
from tests.random_nets.values import Value

ACTIVATIONS = ("relu", "tanh", "sigmoid", "elu", "swish", None, "identity", "log_softmax", "softplus", "gelu", "square")
_INIT = ("glorot_uniform", 0.1, "RandomNormal(stddev=0.1)", "variance_scaling_initializer(mode='fan_in')")


def _dropout(net: Sketch) -> dict[str, Any]:
    """Dropout that draws nothing: outside of training."""
    return (
        net.some(dropout=[0.1, 0.3], dropout_noise_shape=[{"*": None}, {"T": 1}]) if net.shared.mode != "train" else {}
    )


@family("linear", "forward", "hidden")
def linear(net: Sketch) -> None:
    """A matrix; of labels an embedding; of several sources their concatenation."""
    if net.chance(0.25):
        source = net.pick(lambda v: v.is_labels)
        out, feature = net.features()
        net.add(
            "linear",
            {"from": source.name, "activation": None, **net.some(with_bias=[True, False]), **out},
            replace(source, feature=feature, dtype="float32", labels=None),
        )
        return
    x = net.pick(lambda v: v.has_features)
    sources = [x.name]
    joined = [v for v in net.values if v.axes == x.axes and v.batch and x.batch and v.has_features and v.name != x.name]
    if joined and net.chance(0.3):
        sources.append(net.choose(joined).name)
    out, feature = net.features()
    activation = net.choose(ACTIVATIONS)
    options = {"activation": activation, **_dropout(net)}
    options |= net.some(
        with_bias=[False, True],
        use_transposed_weights=[True],
        forward_weights_init=_INIT,
        bias_init=[0.5, "zeros"],
        grad_filter=[None, 1e6],
    )
    options |= net.some(L2=[0.1]) if net.shared.mode != "search" else {}
    if options.get("use_transposed_weights") and len(sources) > 1:
        del options["use_transposed_weights"]
    name = net.choose(["linear", "linear", "forward", "hidden"])
    net.add(
        name,
        {"from": sources if len(sources) > 1 else x.name, **options, **out},
        replace(x, feature=feature, bounded=activation in ("tanh", "sigmoid")),
    )


@family("softmax")
def softmax(net: Sketch) -> None:
    """Probabilities, now and then with a framewise cross entropy."""
    x = net.pick(lambda v: v.has_features)
    out, feature = net.features()
    net.add("softmax", {"from": x.name, **net.some(with_bias=[False]), **out}, replace(x, feature=feature))


@family("activation")
def activation(net: Sketch) -> None:
    """Every activation that is smooth, or nearly so."""
    x = net.pick(lambda v: v.has_features)
    name = net.choose([*(a for a in ACTIVATIONS if a), "abs", "sin", "cos", "exp", "softmax", "leaky_relu"])
    if name == "exp" and not x.bounded:
        raise Unsuitable
    net.add(
        "activation",
        {"from": x.name, "activation": name},
        replace(x, bounded=name not in ("exp", "square") and x.bounded),
    )


@family("copy", "identity", "dropout")
def copy(net: Sketch) -> None:
    """Sources side by side."""
    x = net.pick(lambda v: v.has_features)
    name = net.choose(["copy", "identity", "dropout"])
    options = _dropout(net) if name == "dropout" else {}
    joined = [v for v in net.values if v.axes == x.axes and v.batch == x.batch and v.has_features]
    if len(joined) > 1 and net.chance(0.4):
        picked = net.random.sample(joined, 2)
        feature = net.axis(sum(v.size for v in picked))
        net.add(name, {"from": [v.name for v in picked], **options}, replace(x, feature=feature))
    else:
        net.add(name, {"from": x.name, **options}, x)


@family("layer_norm")
def layer_norm(net: Sketch) -> None:
    x = net.pick(lambda v: v.has_features)
    net.add("layer_norm", {"from": x.name, **net.some(epsilon=[1e-3, 1e-5])}, replace(x, bounded=True))


@family("norm")
def norm(net: Sketch) -> None:
    """Mean and variance over features, or over a static axis."""
    x = net.pick(lambda v: v.has_features and v.batch)
    axes = net.choose([net.feature(x), net.feature(x), "static"]) if not net.modern else net.feature(x)
    options = net.some(scale=[False], bias=[False], epsilon=[1e-3])
    net.add("norm", {"from": x.name, "axes" if net.chance(0.5) else "axis": axes, **options}, replace(x, bounded=True))


@family("batch_norm")
def batch_norm(net: Sketch) -> None:
    x = net.pick(lambda v: v.has_features and v.is_sequence)
    options = net.some(
        use_shift=[False],
        use_std=[False],
        epsilon=[1e-2],
        momentum=[0.3],
        update_sample_only_in_training=[True, False],
        delay_sample_update=[True, False],
        masked_time=[True, False],
        use_sample=[0.5, 1.0],
        param_version=[0, 1, 2],
    )
    if "param_version" in options and net.chance(0.5):
        del options["param_version"]
    if net.in_loop:
        raise Unsuitable
    options.setdefault("masked_time", True)
    net.add("batch_norm", {"from": x.name, **options}, replace(x, bounded=True))


@family("gating")
def gating(net: Sketch) -> None:
    x = net.pick(lambda v: v.has_features and v.size % 2 == 0)
    options = {"activation": net.choose(["tanh", "relu", "identity"]), **net.some(gate_activation=["tanh", "sigmoid"])}
    net.add("gating", {"from": x.name, **options}, replace(x, feature=net.axis(x.size // 2)))


@family("reduce_out")
def reduce_out(net: Sketch) -> None:
    x = net.pick(lambda v: v.has_features and v.size in (4, 6))
    pieces = net.choose([2, 2, 3]) if x.size == 6 else 2
    net.add(
        "reduce_out",
        {"from": x.name, "mode": net.choose(["max", "sum", "mean"]), "num_pieces": pieces},
        replace(x, feature=net.axis(x.size // pieces)),
    )


@family("elemwise_prod")
def elemwise_prod(net: Sketch) -> None:
    x = net.pick(lambda v: v.has_features and v.batch)
    net.add("elemwise_prod", {"from": x.name, "axes": net.feature(x)}, x)


@family("weighted_sum")
def weighted_sum(net: Sketch) -> None:
    """Over a static axis as a whole, or a window of features."""
    x = net.pick(lambda v: v.has_features and v.batch and len(v.statics) == 1 and len(v.axes) < 3)
    net.add("weighted_sum", {"from": x.name, "axes": _static(net, x)}, replace(x, axes=x.times))


def _static(net: Sketch, x: Value) -> Any:
    axis = x.statics[0]
    if axis.dim:
        return axis.dim
    if axis.size == x.size:
        raise Unsuitable
    return f"dim:{axis.size}"


@family("cast")
def cast(net: Sketch) -> None:
    """There and back, so that others can go on."""
    x = net.pick(lambda v: v.has_features)
    between = net.add(
        "cast",
        {"from": x.name, "dtype": net.choose(["float64", "float16"] if net.chance(0.1) else ["float64"])},
        replace(x, dtype="float64"),
    )
    net.add("cast", {"from": between.name, "dtype": "float32"}, x)


@family("scaled_grad")
def scaled_grad(net: Sketch) -> None:
    x = net.pick(lambda v: v.has_features)
    options = {"scale": net.choose([0.5, -1.0, 0.0, 2]), **net.some(shift=[0.1], clip_max_axis=["F"])}
    net.add("scaled_grad", {"from": x.name, **options}, x)


@family("linear")
def shared_parameters(net: Sketch) -> None:
    """Two layers with the same parameters."""
    net.require("root", "subnetwork")
    x = net.pick(lambda v: v.has_features)
    out, feature = net.features()
    first = net.add(
        "linear", {"from": x.name, "activation": net.choose(ACTIVATIONS), **out}, replace(x, feature=feature)
    )
    others = [v for v in net.values if v.has_features and v.size == x.size and v.name != first.name]
    y = net.choose(others) if not net.modern else x
    reuse = first.name if net.chance(0.5) else {"map": {"W": first.name, "b": None}, "auto_create_missing": True}
    net.add(
        "linear",
        {"from": y.name, "activation": net.choose(ACTIVATIONS), "reuse_params": reuse, **out},
        replace(y, feature=feature),
    )
