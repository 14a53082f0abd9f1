# native ctc: every form of normalisation and gradient, blank elsewhere, no label loop, a sequence without alignment
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
_net = {"beam_width": 1, "use_native": True}
network = {
    "rec": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data"},
    "plain": {"class": "softmax", "from": "rec", "loss": "ctc", "target": "classes", "loss_opts": {**_net}},
    "detached": {"class": "softmax", "from": "data", "loss": "ctc", "target": "classes", "loss_opts": {**_net, "ctc_opts": {"grad_wrt_softmax_in": False}}},
    "raw": {"class": "linear", "activation": "log_softmax", "n_out": 5, "from": "data", "loss": "ctc", "target": "classes", "loss_opts": {**_net, "output_in_log_space": True, "ctc_opts": {"logits_normalize": False, "grad_wrt_softmax_in": False}}},
    "raw_p": {"class": "linear", "activation": "log_softmax", "n_out": 5, "from": "data", "loss": "ctc", "target": "classes", "loss_opts": {**_net, "output_in_log_space": True, "ctc_opts": {"logits_normalize": False}}},
    "loop": {"class": "softmax", "from": "data", "loss": "ctc", "target": "classes", "loss_opts": {**_net, "ctc_opts": {"label_loop": False}}},
    "zero": {"class": "softmax", "from": "data", "loss": "ctc", "target": "classes", "loss_opts": {**_net, "ctc_opts": {"zero_infinity": True}}},
}
case = {"lens": {"data": [7, 2, 1, 6], "classes": [3, 2, 1, 4]}, "batch": 4, "inputs": {"classes": [[1, 1, 2, 0], [3, 3, 0, 0], [2, 0, 0, 0], [0, 0, 0, 3]]}}
