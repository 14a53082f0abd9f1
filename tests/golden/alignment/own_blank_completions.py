# optimal completions of sequences with blanks, of the row before and of this one's, as soft targets
extern_data = {"data": {"dim": 5, "sparse": True}, "classes": {"dim": 5, "sparse": True}}
network = {
    "loop": {"class": "rec", "from": "data", "optimize_move_layers_out": False, "unit": {
        "emb": {"class": "linear", "from": "data:source", "n_out": 3, "activation": "tanh"},
        "p": {"class": "softmax", "from": ["emb", "prev:p"], "n_out": 5, "is_output_layer": True},
        "table": {"class": "edit_distance_table", "from": "data:source", "target": "layer:base:data:classes", "blank_idx": 2},
        "next": {"class": "optimal_completions", "from": "prev:table", "target": "layer:base:data:classes", "n_out": 5, "blank_idx": 2,
                 "is_output_layer": True},
        "output": {"class": "copy", "from": "data:source"}}},
    "soft": {"class": "eval", "from": "loop/next", "eval": "tf.nn.softmax(-tf.cast(source(0), tf.float32))", "out_type": {"dtype": "float32"}},
    "output": {"class": "copy", "from": "loop/p", "loss": "ce", "target": "layer:soft"},
}
case = {"lens": {"data": [6, 1, 4], "classes": [3, 4, 2]}, "time": 6, "seed": 3}
