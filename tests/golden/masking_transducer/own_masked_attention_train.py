# training of a transducer whose label model is masked: self-attention, positions, sums and windows over the labels so far
from returnn.tf.util.data import SpatialDim
time_dim = SpatialDim("time")
extern_data = {"data": {"dim": 3, "same_dim_tags_as": {"T": time_dim}}, "classes": {"dim": 4, "sparse": True, "available_for_inference": True, "same_dim_tags_as": {"T": time_dim}}}
network = {"output": {"class": "rec", "from": "data", "target": "classes", "unit": {
    "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0, "input_type": "prob"},
    "emit": {"class": "compare", "kind": "not_equal", "value": 0, "from": "output", "initial_output": True},
    "lm": {"class": "masked_computation", "mask": "prev:emit", "from": "prev:output", "unit": {"class": "subnetwork", "from": "data", "subnetwork": {
       "emb": {"class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "data"},
       "pos": {"class": "positional_encoding", "add_to_input": True, "from": "emb"},
       "att": {"class": "self_attention", "num_heads": 2, "n_out": 4, "total_key_dim": 4, "attention_left_only": True, "from": "pos"},
       "cs": {"class": "cumsum", "from": "emb"}, "win": {"class": "window", "window_size": 2, "window_right": 0, "from": "emb"}, "flat": {"class": "merge_dims", "axes": "static", "from": "win"},
       "output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["att", "pos", "cs", "flat"]}}}},
    "lm_un": {"class": "unmask", "mask": "prev:emit", "from": "lm"},
    "s": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["data:source", "lm_un", "prev:s"]},
    "prob": {"class": "softmax", "from": "s", "target": "classes", "loss": "ce"}}},
  "decision": {"class": "decide", "from": "output"}}

