# hybrid pyramid BLSTM: pool in time, ctc on softmax, focal loss ce on a second target
extern_data = {"data": {"dim": 4}, "bpe": {"dim": 5, "sparse": True}, "classes": {"dim": 6, "sparse": True}}
network = {
 "fw0": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "direction": 1, "from": ["data"], "L2": 0.01, "dropout": 0.1, "unit_opts": {"rec_weight_dropout": 0.0}},
 "bw0": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "direction": -1, "from": ["data"], "L2": 0.01},
 "pool0": {"class": "pool", "mode": "max", "padding": "same", "pool_size": (2,), "from": ["fw0", "bw0"], "trainable": False},
 "fw1": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "direction": 1, "from": ["pool0"]},
 "bw1": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "direction": -1, "from": ["pool0"]},
 "encoder": {"class": "copy", "from": ["fw1", "bw1"]},
 "ctc": {"class": "softmax", "from": "encoder", "loss": "ctc", "target": "bpe", "loss_opts": {"beam_width": 1, "ctc_opts": {"ignore_longer_outputs_than_inputs": True}}, "n_out": 6},
 "ce": {"class": "softmax", "from": ["fw0", "bw0"], "loss": "ce", "target": "classes", "loss_opts": {"focal_loss_factor": 2, "label_smoothing": 0.1}},
 "last": {"class": "get_last_hidden_state", "from": ["fw1", "bw1"], "n_out": 12, "combine": "concat"},
}
case = {"time": {"data": 7, "classes": 7, "bpe": 3}}
