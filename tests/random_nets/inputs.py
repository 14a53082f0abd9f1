"""The data of a net: ragged sequences of features, their labels, and now and then further keys."""

from __future__ import annotations

from tests.random_nets.sketch import Shared, Sketch
from tests.random_nets.text import Code
from tests.random_nets.values import Axis, Value

__all__ = ["add_inputs"]

#: Ragged, with a sequence of one frame; labels that are shorter, so that there is an alignment.
_LENGTHS = ([4, 7, 1], [6, 1, 3], [5, 5, 2, 1], [1, 8, 4])
_SHORT = ([2, 3, 1], [3, 1, 1], [2, 3, 1, 1], [1, 4, 2])


def add_inputs(net: Sketch) -> None:
    """Declare the data keys of a config, which its layers read as ``data:KEY``."""
    shared = net.shared
    which = net.random.randrange(len(_LENGTHS))
    lengths, short = _LENGTHS[which], _SHORT[which]
    if shared.modern:
        shared.lines.append("from returnn.tensor import Dim, batch_dim")
    time = net.dim(None, "time") if shared.modern else Axis("time")
    other = net.dim(None, "short") if shared.modern else Axis("short")
    labels = net.random.randint(4, 7)
    lens: dict[str, list[int]] = {}
    _features(net, "data", (time,))
    _labels(net, "classes", time if shared.modern or net.chance(0.5) else Axis("time_classes"), labels)
    lens["data"] = lens["classes"] = lengths
    if net.chance(0.5):
        _labels(net, "labels", other, labels - 1)
        lens["labels"] = short
    if net.chance(0.3):
        _features(net, "memory", (other if shared.modern else Axis("memory_time"),))
        lens["memory"] = short
    if net.chance(0.25):
        _features(net, "image", (time if shared.modern else Axis("image_time"), _static(net, 4)))
        lens["image"] = lengths
    if net.chance(0.3):
        _features(net, "vector", ())
    if net.chance(0.2):
        _single_label(net, labels)
    shared.case.update(batch=len(lengths), lens={key: lens[key] for key in lens if key in shared.extern_data})


def _dims(net: Sketch) -> str:
    return "dims" if net.shared.strict else "dim_tags"


def _static(net: Sketch, size: int) -> Axis:
    return net.dim(size, "height") if net.modern else net.axis(size)


def _features(net: Sketch, key: str, axes: tuple[Axis, ...]) -> None:
    size = net.random.randint(2, 6)
    if net.modern:
        feature = net.dim(size, "feat")
        dims = [Code("batch_dim"), *(axis.dim for axis in axes), feature.dim]
        net.shared.extern_data[key] = {_dims(net): dims}
        net.shared.extern_data[key]["dtype"] = "float32"
        if net.shared.extern_data[key].get("dims"):
            net.shared.extern_data[key]["feature_dim"] = feature.dim
    else:
        feature = net.axis(size)
        shape = (*(axis.size for axis in axes), size)
        net.shared.extern_data[key] = {"dim": size} if len(axes) == 1 else {"dim": size, "shape": shape}
        if not axes:
            net.shared.extern_data[key]["time_dim_axis"] = None
    net.values.append(Value("data" if key == "data" else f"data:{key}", axes, feature))


def _labels(net: Sketch, key: str, time: Axis, labels: int) -> None:
    if net.modern:
        labels_axis = net.dim(labels, "feat")
        net.shared.extern_data[key] = {
            _dims(net): [Code("batch_dim"), time.dim],
            "sparse_dim": labels_axis.dim,
            "dtype": "int32",
        }
    else:
        net.shared.extern_data[key] = {"dim": labels, "sparse": True}
        if time.name == "time":
            _share_time(net.shared, key)
    net.shared.extern_data[key]["available_for_inference"] = True
    net.values.insert(0, Value(f"data:{key}", (time,), None, "int32", labels))


def _share_time(shared: Shared, key: str) -> None:
    shared.lines.append("from returnn.tf.util.data import SpatialDim\ntime_dim = SpatialDim('time')")
    for name in ("data", key):
        shared.extern_data[name]["same_dim_tags_as"] = {"T": Code("time_dim")}


def _single_label(net: Sketch, labels: int) -> None:
    if net.modern:
        axis = net.dim(labels, "feat")
        net.shared.extern_data["speaker"] = {_dims(net): [Code("batch_dim")], "sparse_dim": axis.dim, "dtype": "int32"}
    else:
        net.shared.extern_data["speaker"] = {"dim": labels, "sparse": True, "shape": (), "time_dim_axis": None}
    net.shared.extern_data["speaker"]["available_for_inference"] = True
    net.values.insert(0, Value("data:speaker", (), None, "int32", labels))
