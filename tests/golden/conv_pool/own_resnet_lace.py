# ResNet/LACE block: window input as channels, pad, dilated convs, bn before 12, element weighting, pools, merge
extern_data = {"data": {"dim": 8}, "classes": {"dim": 5, "sparse": True}}
def conv(src, n, **kw):
    return dict({"class": "conv", "from": src, "n_out": n, "filter_size": (3, 3), "padding": "VALID", "with_bias": False, "activation": None, "auto_use_channel_first": True, "forward_weights_init": "xavier", "L2": 0.01}, **kw)
network = {
 "win": {"class": "window", "window_size": 5, "from": "data"},
 "split": {"class": "split_dims", "axis": "F", "dims": (-1, 1), "from": ["data"]},
 "c0": conv("split", 4, padding="same"), "b0": {"class": "batch_norm", "from": "c0"},
 "a0": {"class": "activation", "activation": "relu", "from": "b0"},
 "p0": {"class": "pad", "from": ["a0"], "axes": ("s:0", "s:1"), "padding": [(0, 0), (1, 1)]},
 "c1": conv("p0", 4, dilation_rate=(1, 1), filter_size=(1, 3)),
 "s1": {"class": "combine", "kind": "add", "from": ["c1", "a0"]},
 "m1": {"class": "pool", "from": "s1", "mode": "max", "pool_size": (1, 2), "padding": "same", "trainable": False},
 "mg": {"class": "merge_dims", "axes": "static", "from": ["m1"]},
 "output": {"class": "softmax", "loss": "ce", "from": "mg", "dropout": 0.0, "loss_opts": {"focal_loss_factor": 2.0}},
}
