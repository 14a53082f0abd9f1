# ctc forms: logits, log space, native, repeats, copy of log_softmax, focal, shorter inputs
extern_data = {"data": {"dim": 4}, "bpe": {"dim": 4, "sparse": True}}
case = {"lens": {"data": [8, 5, 6], "bpe": [3, 1, 2]}, "time": 8}
network = {
 "r": {"class": "rec", "unit": "lstm", "n_out": 4, "from": "data"},
 "c1": {"class": "softmax", "n_out": 5, "from": "r", "loss": "ctc", "target": "bpe", "loss_opts": {"beam_width": 1, "use_native": True}},
 "lp": {"class": "linear", "activation": "log_softmax", "n_out": 5, "from": "r"},
 "c2": {"class": "copy", "from": "lp", "loss": "ctc", "target": "bpe", "loss_opts": {"beam_width": 1, "use_native": True, "output_in_log_space": True, "ctc_opts": {"logits_normalize": False}}},
 "c4": {"class": "softmax", "from": "data", "loss": "ctc", "n_out": 5, "target": "bpe", "loss_scale": 0.5, "loss_opts": {"beam_width": 1, "ctc_opts": {"ignore_longer_outputs_than_inputs": True}}},
 "c5": {"class": "softmax", "from": "data", "loss": "ctc", "target": "bpe", "n_out": 5, "loss_opts": {"beam_width": 1, "use_native": True}},
}
