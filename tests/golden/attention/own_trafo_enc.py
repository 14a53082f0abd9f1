# transformer encoder with positional encoding, time-major, causal and not, layer_norm options
extern_data = {"data": {"dim": 10, "sparse": True, "time_dim_axis": 0, "batch_dim_axis": 1}}
n = 6
ffi = "variance_scaling_initializer(mode='fan_in', distribution='uniform', scale=0.78)"
network = {
 "emb_raw": {"class": "linear", "activation": None, "with_bias": False, "n_out": n, "from": "data", "forward_weights_init": ffi},
 "emb_w": {"class": "eval", "eval": "source(0) * 22.627417", "from": ["emb_raw"]},
 "pos": {"class": "positional_encoding", "add_to_input": True, "from": ["emb_w"]},
 "drop": {"class": "dropout", "from": ["pos"], "dropout": 0.1},
}
src = "drop"
for i in range(2):
    p = "enc_%02i" % i
    network.update({
     p + "_ln": {"class": "layer_norm", "from": [src]},
     p + "_att": {"class": "self_attention", "num_heads": 3, "total_key_dim": n, "n_out": n, "from": [p + "_ln"], "attention_left_only": i == 0, "attention_dropout": 0.1, "forward_weights_init": ffi, "reuse_params": None},
     p + "_lin": {"class": "linear", "activation": None, "with_bias": False, "from": [p + "_att"], "n_out": n, "forward_weights_init": ffi},
     p + "_d": {"class": "dropout", "from": [p + "_lin"], "dropout": 0.1},
     p + "_o": {"class": "combine", "kind": "add", "from": [src, p + "_d"], "n_out": n},
     p + "_ff1": {"class": "linear", "activation": "gelu" if i else "relu", "with_bias": True, "from": [p + "_o"], "n_out": 7},
     p + "_ff2": {"class": "linear", "activation": None, "with_bias": True, "from": [p + "_ff1"], "dropout": 0.1, "n_out": n},
     p: {"class": "copy", "from": [p + "_ff2"]}})
    src = p
network["encoder"] = {"class": "layer_norm", "from": [src], "epsilon": 1e-3}
network["output"] = {"class": "softmax", "from": "encoder", "loss": "ce", "target": "data", "loss_opts": {"label_smoothing": 0.1}}
case = {"train": False}
