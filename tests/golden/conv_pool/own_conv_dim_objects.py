# Dim objects for features and spatial axes of conv, pool and transposed_conv; the transposed one back to the known length
from returnn.tensor import Dim, batch_dim
behavior_version = 16
time = Dim(None, name="time")
feat = Dim(3, name="feat", kind=Dim.Types.Feature)
ch = Dim(2, name="ch", kind=Dim.Types.Feature)
ch2 = Dim(4, name="ch2", kind=Dim.Types.Feature)
sub = Dim(None, name="sub")
extern_data = {"data": {"dim_tags": [batch_dim, time, feat]}}
network = {"c": {"class": "conv", "filter_size": (3,), "strides": 2, "padding": "same", "in_dim": feat, "in_spatial_dims": [time], "out_dim": ch, "out_spatial_dims": [sub], "from": "data"},
           "p": {"class": "pool", "mode": "max", "pool_size": (2,), "strides": 1, "padding": "same", "in_dim": ch, "in_spatial_dims": [sub], "from": "c"},
           "t": {"class": "transposed_conv", "filter_size": [3], "strides": [2], "in_dim": ch, "in_spatial_dims": [sub], "out_dim": ch2, "out_spatial_dims": [time], "from": "p"},
           "m": {"class": "reduce", "mode": "mean", "axis": sub, "from": "c"},
           "obj": {"class": "eval", "from": "t", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"lens": {"data": [5, 7, 1]}}
