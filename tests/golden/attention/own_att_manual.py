# multi-head attention by hand without loop; generic axes; layer norm on attention; masks by softmax_over_spatial with two times
from returnn.tf.util.data import Dim, SpatialDim, FeatureDim, batch_dim
extern_data = {"data": {"dim": 6}, "src": {"dim": 7, "sparse": True}}
case = {"time": {"data": 5, "src": 4}}
network = {
 "emb": {"class": "linear", "activation": None, "with_bias": False, "n_out": 6, "from": "data:src"},
 "emb_pos": {"class": "positional_encoding", "add_to_input": True, "from": "emb"},
 "q0": {"class": "linear", "activation": None, "with_bias": False, "n_out": 6, "from": "data"}, "q": {"class": "split_dims", "axis": "F", "dims": (2, 3), "from": ["q0"]},
 "k0": {"class": "linear", "activation": None, "with_bias": False, "n_out": 6, "from": "emb_pos"}, "k": {"class": "split_dims", "axis": "F", "dims": (2, 3), "from": ["k0"]},
 "v0": {"class": "linear", "activation": None, "with_bias": False, "n_out": 8, "from": "emb_pos"}, "v": {"class": "split_dims", "axis": "F", "dims": (2, 4), "from": ["v0"]},
 "energy": {"class": "dot", "red1": -1, "red2": -1, "var1": "T", "var2": "T", "from": ["q", "k"]},
 "weights": {"class": "softmax_over_spatial", "from": ["energy"], "axis": "stag:extern_data:src", "energy_factor": 0.577},
 "wd": {"class": "dropout", "dropout_noise_shape": {"*": None}, "from": ["weights"], "dropout": 0.1},
 "ctx": {"class": "dot", "from": ["wd", "v"], "red1": "stag:extern_data:src", "red2": "stag:extern_data:src", "var1": "stag:extern_data:data", "var2": "static:-1"},
 "att0": {"class": "merge_dims", "axes": "static", "from": ["ctx"]}, "att": {"class": "linear", "activation": None, "n_out": 6, "from": "att0"},
 "res": {"class": "combine", "kind": "add", "from": ["att", "data"]}, "ln": {"class": "layer_norm", "from": "res"},
 "gen": {"class": "generic_attention", "weights": "weights", "base": "v"},
 "loss": {"class": "eval", "eval": "tf.square(source(0))", "from": "ln", "loss": "as_is"},
}
