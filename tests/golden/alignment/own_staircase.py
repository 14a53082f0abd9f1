# fast_bw with a staircase: one class after the other, up to the length of a layer
extern_data = {"data": {"dim": 5}}
network = {"scores": {"class": "softmax", "from": "data", "n_out": 6},
  "bw": {"class": "fast_bw", "from": "scores", "input_type": "prob", "align_target": "staircase", "staircase_seq_len_source": "data"},
  "output": {"class": "copy", "from": "scores", "loss": "via_layer", "loss_opts": {"align_layer": "bw"}}}
case = {"lens": {"data": [5, 2, 1]}}
