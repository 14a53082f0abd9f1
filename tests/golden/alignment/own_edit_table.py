# the edit distance table of labels that are fed back, with a blank; its rows from outside of the loop
extern_data = {"data": {"dim": 5, "sparse": True}, "classes": {"dim": 5, "sparse": True}, "dec": {"dim": 4}}
network = {"loop": {"class": "rec", "from": "data", "optimize_move_layers_out": False, "unit": {
  "tab": {"class": "edit_distance_table", "from": "data:source", "target": "layer:base:data:classes", "is_output_layer": True},
  "skip": {"class": "edit_distance_table", "from": "data:source", "target": "layer:base:data:classes", "blank_idx": 2, "is_output_layer": True},
  "opt": {"class": "optimal_completions", "from": "prev:tab", "target": "layer:base:data:classes", "is_output_layer": True},
  "output": {"class": "copy", "from": "data:source"}}},
  "rows": {"class": "copy", "from": "loop/tab"}, "skipped": {"class": "copy", "from": "loop/skip"}, "next": {"class": "copy", "from": "loop/opt"}}
case = {"lens": {"data": [6, 1, 4], "classes": [3, 4, 2]}, "seed": 3}
