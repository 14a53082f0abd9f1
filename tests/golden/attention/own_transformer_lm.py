# a Transformer LM as a rec layer, nothing recurrent but causal self-attention (published LM configs look so)
extern_data = {"data": {"dim": 5, "sparse": True}}
network = {"delayed0": {"class": "prefix_in_time", "prefix": 0, "from": "data"}, "delayed1": {"class": "slice", "axis": "T", "slice_end": -1, "from": "delayed0"}, "delayed": {"class": "reinterpret_data", "size_base": "data", "from": "delayed1"},
  "output": {"class": "rec", "from": "delayed", "target": "data", "unit": {
    "x": {"class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "data:source"},
    "sa": {"class": "self_attention", "num_heads": 2, "total_key_dim": 4, "n_out": 4, "attention_left_only": True, "from": "x"},
    "output": {"class": "softmax", "from": "sa", "target": "data", "loss": "ce", "n_out": 5}}}}
case = {"lens": {"data": [5, 3, 1]}}
