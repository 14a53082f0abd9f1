# alignment layers: other options, a time-major source, scores, sequences of one frame, repeated labels, empty targets
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}, "other": {"dim": 4, "sparse": True}, "with_blank": {"dim": 5, "sparse": True}}
network = {"p": {"class": "softmax", "n_out": 5, "from": "data"}, "lp": {"class": "activation", "activation": "safe_log", "from": "p"},
  "tm": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data"}, "q": {"class": "softmax", "n_out": 5, "from": "tm"},
  "al": {"class": "forced_align", "align_target": "data:classes", "topology": "ctc", "input_type": "prob", "from": "q"},
  "score": {"class": "copy", "from": "al/scores"},
  "rna": {"class": "forced_align", "align_target": "data:classes", "topology": "rna", "input_type": "log_prob", "from": "lp"}, "rna_score": {"class": "copy", "from": "rna/scores"},
  "incl": {"class": "forced_align", "align_target": "data:with_blank", "blank_included": True, "blank_idx": 0, "topology": "rna", "input_type": "prob", "from": "p"},
  "bw": {"class": "fast_bw", "align_target": "ctc", "align_target_key": "classes", "input_type": "prob", "min_prob": 0.15, "am_scale": 0.7, "n_out": 5, "from": "q"},
  "bw_rna": {"class": "fast_bw", "align_target": "ctc", "align_target_key": "classes", "input_type": "prob", "ctc_opts": {"label_loop": False, "blank_idx": 4}, "n_out": 5, "from": "p"},
  "ed": {"class": "edit_distance", "a": "data:other", "b": "data:classes"}, "same": {"class": "edit_distance", "a": "data:classes", "b": "moved"},
  "moved": {"class": "eval", "from": "data:classes", "eval": "tf.math.floormod(source(0) + 1, 4)", "out_type": {"sparse": True, "dim": 4}},
  "hyp": {"class": "edit_distance", "a": "al", "b": "data:with_blank"},
  "l1": {"class": "copy", "from": "p", "loss": "via_layer", "loss_scale": 0.5, "loss_opts": {"loss_wrt_to_act_in": True, "align_layer": "bw_rna"}},
  "l2": {"class": "softmax", "n_out": 5, "from": "tm", "loss": "via_layer", "loss_opts": {"align_layer": "bw"}}}
case = {"lens": {"data": [8, 5, 3], "classes": [3, 2, 1], "other": [4, 1, 2], "with_blank": [2, 3, 1]}, "inputs": {"classes": [[1, 1, 2], [3, 3, 0], [2, 0, 0]], "with_blank": [[1, 2, 1], [3, 3, 1], [4, 1, 1]]}}
