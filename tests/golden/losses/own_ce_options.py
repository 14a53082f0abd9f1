# ce: gaussian smoothing, smoothing with focal, focal on time-major output, logits as input, dense target, sigmoid output
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}, "dense": {"dim": 4, "same_dim_tags_as": None}}
del extern_data["dense"]["same_dim_tags_as"]
network = {
    "rec": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data"},
    "gauss": {"class": "softmax", "from": "data", "loss": "ce", "target": "classes", "loss_opts": {"label_smoothing": 0.2, "label_smoothing_gaussian": True}},
    "smooth_focal": {"class": "softmax", "from": "data", "loss": "ce", "target": "classes", "loss_opts": {"label_smoothing": 0.1, "focal_loss_factor": 2.0}},
    "focal": {"class": "softmax", "from": "rec", "loss": "ce", "target": "classes", "loss_opts": {"focal_loss_factor": 1.5}},
    "time_major": {"class": "softmax", "from": "rec", "loss": "ce", "target": "classes"},
    "logits": {"class": "linear", "activation": None, "from": "rec", "n_out": 4, "loss": "ce", "target": "classes", "loss_opts": {"input_type": "logits"}},
    "logits_focal": {"class": "linear", "activation": None, "from": "data", "n_out": 4, "loss": "ce", "target": "classes", "loss_opts": {"input_type": "logits", "focal_loss_factor": 1.0}},
    "smooth_probs": {"class": "linear", "activation": "sigmoid", "from": "data", "n_out": 4, "loss": "ce", "target": "classes", "loss_opts": {"label_smoothing": 0.1}},
    "soft_target": {"class": "softmax", "from": "rec", "loss": "ce", "target": "dense", "n_out": 4},
    "sigmoid": {"class": "linear", "activation": "sigmoid", "from": "data", "n_out": 4, "loss": "ce", "target": "classes"},
    "relu": {"class": "linear", "activation": "relu", "from": "data", "n_out": 4, "loss": "ce", "target": "classes", "loss_opts": {"safe_log_opts": {"eps": 0.01}}},
    "bound": {"class": "softmax", "from": "data", "loss": "ce", "target": "dense", "n_out": 4, "loss_opts": {"fake_upper_bound": 0.3}},
}
case = {"lens": {"data": [4, 1, 6], "classes": [4, 1, 6], "dense": [4, 1, 6]}, "params": {"relu/b": 1.0}}
