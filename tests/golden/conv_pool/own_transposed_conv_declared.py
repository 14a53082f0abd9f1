# transposed convolution to declared dims: longer, equal and shorter than what it gives, both paddings, one and two axes
from returnn.tensor import Dim, batch_dim
from returnn.tf.util.data import FeatureDim, SpatialDim

behavior_version = 21
time_dim, height, feat, out = SpatialDim("time"), SpatialDim("height", 5), FeatureDim("feat", 3), FeatureDim("out", 2)
half, low = SpatialDim("half"), SpatialDim("low", 2)
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, feat]}, "img": {"dim_tags": [batch_dim, time_dim, height, feat]}}


def _pool(source, dims, **opts):
    return {"class": "pool", "mode": "avg", "from": source, "in_spatial_dims": dims, **opts}


def _up(source, filter_size, strides, padding, dims=(time_dim,), **opts):
    return {"class": "transposed_conv", "filter_size": filter_size, "strides": strides, "padding": padding, "from": source,
            "out_spatial_dims": list(dims), "out_dim": out, **opts}


network = {
    "v2": _pool("data", [time_dim], pool_size=[2], padding="valid"),
    "v3": _pool("data", [time_dim], pool_size=[3], padding="valid"),
    "s2": _pool("data", [time_dim], pool_size=[3], strides=[2], padding="same"),
    "s3": _pool("data", [time_dim], pool_size=[3], strides=[3], padding="same"),
    "i2": _pool("data:img", [time_dim, height], pool_size=[2, 2], padding="valid", out_spatial_dims=[half, low]),
    "a": _up("v2", [2], [2], "valid"),
    "b": _up("s2", [1], [2], "same"),
    "c": _up("v3", [3], [3], "valid"),
    "d": _up("s3", [2], [3], "same"),
    "e": _up("s2", [4], [2], "same"),
    "f": _up("s2", [1], [2], "valid"),
    "g": _up("s2", [2], [2], "same"),
    "h": _up("i2", [2, 2], [2, 2], "valid", [time_dim, height], in_spatial_dims=[half, low]),
    "one": {"class": "eval", "from": ["a", "b", "c", "d", "e", "f", "g"], "loss": "as_is",
            "eval": "source(0) ** 2 + source(1) + source(2) * source(3) + source(4) * source(5) + source(6)"},
    "two": {"class": "eval", "from": "h", "eval": "source(0) ** 2", "loss": "as_is"},
}
