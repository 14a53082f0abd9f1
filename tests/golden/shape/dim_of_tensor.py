# a Dim made of a Tensor of lengths per sequence
from returnn.tensor import Dim, Tensor, batch_dim
behavior_version = 21
time_dim = Dim(Tensor("time", dims=[batch_dim], dtype="int32"), name="time")
feat = Dim(5, name="feat", kind=Dim.Types.Feature)
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, feat]}}
network = {"output": {"class": "linear", "n_out": 3, "activation": "tanh", "from": "data"}}
case = {"train": False, "search": False}
