# stft with Dim objects, and of a time-major source
from returnn.tensor import Dim, batch_dim
time = Dim(None, name="time"); one = Dim(1, name="one", kind=Dim.Types.Feature); frames = Dim(None, name="frames"); bins = Dim(5, name="bins", kind=Dim.Types.Feature)
extern_data = {"data": {"dim_tags": [batch_dim, time, one], "time_dim_axis": 1, "feature_dim": one}}
network = {"s": {"class": "stft", "frame_shift": 3, "frame_size": 8, "in_spatial_dims": [time], "out_spatial_dims": [frames], "out_dim": bins, "from": "data"},
  "a": {"class": "activation", "activation": "abs", "from": "s"}, "r": {"class": "reduce", "mode": "mean", "axis": frames, "from": "a"},
  "rec": {"class": "rec", "unit": "nativelstm2", "n_out": 1, "from": "data"}, "tm": {"class": "stft", "frame_shift": 3, "frame_size": 8, "from": "rec"}, "back": {"class": "istft", "frame_shift": 3, "frame_size": 8, "from": "tm"}}
case = {"lens": {"data": [30, 17, 9]}}
