# initialisers of layers: of inputs, of recurrences, of biases; one stands for another that is not given
extern_data = {"data": {"dim": 4}}
_all = {"class": "rec", "n_out": 2, "from": "data", "forward_weights_init": 0.25, "recurrent_weights_init": 0.5, "bias_init": -1.0}
_forward = {"class": "rec", "n_out": 2, "from": "data", "forward_weights_init": 0.25}
_recurrent = {"class": "rec", "n_out": 2, "from": "data", "recurrent_weights_init": 0.5}
_units = ["nativelstm2", "standardlstm", "basiclstm", "lstmblock", "lstm", "gru", "basicrnn", "zoneoutlstm", "layernormvariantslstm", "rhn", "nativelstm"]
network = {}
for _u in _units:
  network[_u] = {**_all, "unit": _u}
  network[_u + "_f"] = {**_forward, "unit": _u}
  network[_u + "_r"] = {**_recurrent, "unit": _u}
network.update({
  "lin": {"class": "linear", "activation": None, "n_out": 3, "from": "data", "forward_weights_init": 0.25, "bias_init": -1.0},
  "conv": {"class": "conv", "filter_size": (3,), "padding": "same", "n_out": 3, "from": "data", "with_bias": True, "forward_weights_init": 0.25, "bias_init": -1.0},
  "tconv": {"class": "transposed_conv", "filter_size": (3,), "n_out": 3, "from": "data", "forward_weights_init": 0.25, "bias_init": -1.0},
  "sat": {"class": "self_attention", "num_heads": 2, "total_key_dim": 4, "n_out": 4, "from": "data", "forward_weights_init": 0.25}})
case = {"params": {"": "init"}, "grad": False}
