# optimal_completions with a blank as soft target of a transducer's labels; the table counts labels, not steps
extern_data = {"data": {"dim": 5, "sparse": True}, "classes": {"dim": 4, "sparse": True}}
network = {"loop": {"class": "rec", "from": "data", "unit": {
  "lab": {"class": "eval", "eval": "tf.math.floormod(source(0) + tf.cast(source(1), tf.int32), 5)", "from": ["data:source", "prev:best"]},
  "tab": {"class": "edit_distance_table", "from": "lab", "target": "layer:base:data:classes", "blank_idx": 4},
  "opt": {"class": "optimal_completions", "from": "prev:tab", "n_out": 5, "is_output_layer": True, "target": "layer:base:data:classes", "blank_idx": 4},
  "soft": {"class": "eval", "eval": "tf.nn.softmax(tf.cast(-source(0), tf.float32))", "from": "opt", "out_type": {"dtype": "float32"}, "is_output_layer": True},
  "best": {"class": "reduce", "mode": "argmin", "axes": "F", "from": "opt", "initial_output": 0},
  "output": {"class": "copy", "from": "lab"}}},
  "ed": {"class": "edit_distance", "a": "loop", "a_spatial_dim": "T", "b": "data:classes", "b_spatial_dim": "T"}}
case = {"lens": {"data": [7, 1, 4], "classes": [3, 2, 4]}, "fetch_extra": ["loop/soft", "loop/opt"], "inputs": {"data": [[4, 1, 0, 4, 2, 4, 3], [4, 0, 0, 0, 0, 0, 0], [2, 4, 1, 4, 0, 0, 0]]}}
