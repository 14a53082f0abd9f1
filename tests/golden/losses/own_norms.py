# custom norms, normalised losses with scales, as_is with a target of another length, as_error, errors only beside a loss
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}, "other": {"dim": 5, "sparse": True}, "third": {"dim": 4, "sparse": True}}
network = {
    "len": {"class": "length", "from": "data:other"},
    "a": {"class": "softmax", "from": "data", "loss": "ce", "target": "classes", "loss_opts": {"custom_norm_factor": 0.25, "use_normalized_loss": True}},
    "b": {"class": "softmax", "from": "data", "loss": "ce", "target": "classes", "loss_opts": {"custom_inv_norm_factor": "len", "use_normalized_loss": True, "scale": 0.5}},
    "c": {"class": "softmax", "from": "data", "loss": "ce", "target": "classes", "loss_scale": 2.0, "loss_opts": {"use_normalized_loss": True}},
    "sq": {"class": "eval", "eval": "source(0) ** 2", "from": "a", "loss": "as_is", "target": "third", "loss_opts": {"use_normalized_loss": True}},
    "err": {"class": "eval", "eval": "source(0) * 2", "from": "a", "loss": "as_is", "loss_opts": {"as_error": True}},
    "flat": {"class": "softmax", "from": "data", "loss": "ce", "target": "classes", "loss_opts": {"use_flatten_frames": False}},
    "several": {"class": "softmax", "from": "data", "loss": "ce", "target": ["classes", "other"]},
}
case = {"lens": {"data": [4, 1, 6], "classes": [4, 1, 6], "other": [2, 3, 1], "third": [2, 2, 1]}}
