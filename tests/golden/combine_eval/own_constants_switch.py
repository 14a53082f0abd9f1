# constants with shapes, switch between constants, scalars and layers, compare chains, train flag
import numpy
behavior_version = 4
extern_data = {"data": {"dim": 3}}
network = {
  "c1": {"class": "constant", "value": 2.0, "shape": (3,)}, "c2": {"class": "constant", "value": 1, "shape": (2, 3), "dtype": "float32"},
  "c3": {"class": "constant", "value": numpy.array([[1, 2, 3], [4, 5, 6]], "int64"), "with_batch_dim": True},
  "c4": {"class": "constant", "value": -1, "dtype": "bool"}, "c5": {"class": "constant"}, "c6": {"class": "constant", "value": 3, "with_batch_dim": True, "dtype": "int32"},
  "sum": {"class": "combine", "kind": "add", "from": ["data", "c1"]},
  "s": {"class": "reduce", "mode": "sum", "axis": "F", "from": "data"},
  "m": {"class": "reduce", "mode": "mean", "axis": "T", "from": "s"},
  "ch": {"class": "compare", "kind": "less", "value": 0.7, "from": ["s", "m"]},
  "ch2": {"class": "compare", "kind": "<=", "from": ["s", "m"]}, "ne": {"class": "compare", "kind": "!=", "value": 0, "from": "s"},
  "sw": {"class": "switch", "condition": "ch2", "true_from": "sum", "false_from": "m"},
  "sw2": {"class": "switch", "condition": "ch2", "true_from": 0, "false_from": "s"},
  "sw3": {"class": "switch", "condition": "ne", "true_from": 1.0, "false_from": 2.0},
  "sw4": {"class": "switch", "condition": lambda **kw: False, "true_from": "data", "false_from": 0.5},
  "tf": {"class": "train_flag"}, "sw5": {"class": "switch", "condition": "tf", "true_from": "data", "false_from": "sum"},
  "obj": {"class": "eval", "from": "sw", "eval": "source(0) ** 2", "loss": "as_is"}}
