# ctc: output size from the target, short targets, collapsed and clipped targets, no merging of repeats, beam of 100
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
_ignore = {"ignore_longer_outputs_than_inputs": True}
network = {
    "plain": {"class": "softmax", "from": "data", "loss": "ctc", "target": "classes", "loss_opts": {"ctc_opts": _ignore}},
    "collapse": {"class": "softmax", "from": "data", "loss": "ctc", "target": "classes", "loss_opts": {"beam_width": 3, "target_collapse_repeated": True, "ctc_opts": _ignore}},
    "clip": {"class": "softmax", "from": "data", "loss": "ctc", "target": "classes", "loss_opts": {"beam_width": 1, "auto_clip_target_len": True, "ctc_opts": _ignore}},
    "pre_collapse": {"class": "softmax", "from": "data", "loss": "ctc", "target": "classes", "loss_opts": {"beam_width": 1, "ctc_opts": {"preprocess_collapse_repeated": True, **_ignore}}},
    "no_merge": {"class": "softmax", "from": "data", "loss": "ctc", "target": "classes", "loss_opts": {"beam_width": 2, "ctc_opts": {"ctc_merge_repeated": False, **_ignore}}},
    "probs": {"class": "linear", "activation": "sigmoid", "n_out": 5, "from": "data", "loss": "ctc", "target": "classes", "loss_opts": {"beam_width": 1, "ctc_opts": _ignore}},
    "logs": {"class": "linear", "activation": "log_softmax", "n_out": 5, "from": "data", "loss": "ctc", "target": "classes", "loss_opts": {"beam_width": 10, "output_in_log_space": True, "ctc_opts": _ignore}},
}
case = {"lens": {"data": [7, 2, 3, 6], "classes": [3, 1, 3, 4]}, "batch": 4, "inputs": {"classes": [[1, 1, 2, 0], [3, 0, 0, 0], [2, 0, 1, 0], [0, 0, 0, 3]]}, "seed": 3}
