# assignments in a row, adding, reading in between, several runs
extern_data = {"data": {"dim": 3}}
network = {"v": {"class": "variable", "shape": (3,), "init": 1.0, "trainable": False},
  "m": {"class": "reduce", "mode": "mean", "axes": ["B", "T"], "from": "data"},
  "first": {"class": "variable_assign", "var": "v", "value": "m"}, "mid": {"class": "variable_read", "var": "v", "control_dependencies": ["first"]},
  "two": {"class": "eval", "from": "m", "eval": "source(0) * 2"},
  "again": {"class": "variable_assign", "var": "mid", "value": "two", "op": "add", "control_dependencies": ["first"]},
  "end": {"class": "variable_read", "var": "v", "control_dependencies": ["again"]},
  "n": {"class": "variable", "shape": (), "init": 0, "dtype": "int32", "trainable": False}, "one": {"class": "constant", "value": 1},
  "count": {"class": "variable_assign", "var": "n", "value": "one", "op": "add"}, "counted": {"class": "variable_read", "var": "n", "control_dependencies": ["count"]},
  "out": {"class": "combine", "kind": "add", "from": ["data", "end"]}}
case = {"repeat": 2}
