# via_layer by an alignment that was smoothed: the loss comes along with the source
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
network = {
    "output": {"class": "softmax", "n_out": 5, "from": "data"},
    "am": {"class": "eval", "eval": "0.7 * safe_log(source(0))", "from": "output"},
    "bw": {"class": "fast_bw", "align_target": "ctc", "ctc_opts": {"blank_idx": 4}, "align_target_key": "classes", "n_out": 5, "from": "am"},
    "other": {"class": "softmax", "n_out": 5, "from": "data"},
    "smooth": {"class": "combine", "kind": "eval", "eval": "0.9 * source(1) + 0.1 * source(0)", "from": ["other", "bw"],
               "copy_output_loss_from_source_idx": 1},
    "loss": {"class": "copy", "from": "output", "loss": "via_layer",
             "loss_opts": {"loss_wrt_to_act_in": "softmax", "align_layer": "smooth", "scale": 0.5}},
}
case = {"lens": {"data": [7, 3, 5], "classes": [3, 1, 2]}}
