# variable_read is a copy: an assignment that comes later, in a cond, in a subnetwork, shows only in who depends on it
behavior_version = 30
extern_data = {"data": {"dim": 3}}
network = {
  "v": {"class": "variable", "shape": (), "dtype": "int32", "init": 2, "trainable": False},
  "before": {"class": "variable_read", "var": "v"},
  "copied": {"class": "copy", "from": "before"},
  "long": {"class": "compare", "from": "longest", "kind": "greater", "value": 20},
  "lengths": {"class": "length", "from": "data", "axis": "T"},
  "longest": {"class": "reduce", "from": "lengths", "mode": "max", "axis": "B", "use_time_mask": False},
  "cond": {"class": "cond", "from": [], "condition": "long",
    "true_layer": {"class": "subnetwork", "from": [], "subnetwork": {
      "three": {"class": "constant", "value": 3, "dtype": "int32"},
      "add": {"class": "variable_assign", "var": "base:before", "value": "three", "op": "add", "is_output_layer": True},
      "output": {"class": "copy", "from": "three"}}},
    "false_layer": {"class": "subnetwork", "from": [], "subnetwork": {
      "five": {"class": "constant", "value": 5, "dtype": "int32"},
      "add": {"class": "variable_assign", "var": "base:before", "value": "five", "op": "add", "is_output_layer": True},
      "output": {"class": "copy", "from": "five"}}}},
  "after": {"class": "variable_read", "var": "before", "control_dependencies": ["cond/add"]},
  "sub": {"class": "subnetwork", "from": [], "subnetwork": {
    "same": {"class": "variable_read", "var": "base:after"},
    "output": {"class": "combine", "kind": "mul", "from": ["same", "same"]}}},
  "seven": {"class": "constant", "value": 9, "dtype": "int32"},
  "set": {"class": "variable_assign", "var": "after", "value": "seven", "control_dependencies": ["sub", "copied"]},
  "final": {"class": "variable_read", "var": "set"},
  "output": {"class": "eval", "from": ["data", "copied", "after", "final", "sub"],
    "eval": "source(0) * tf.cast(source(1) + 10 * source(2) + 100 * source(3) + 1000 * source(4), tf.float32)"}}
case = {"fetch": ["before", "copied", "after", "final", "sub", "output", "cond"]}
