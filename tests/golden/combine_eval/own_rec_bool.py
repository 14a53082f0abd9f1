# bool and integer inputs, compare kinds, masks
extern_data = {"data": {"dim": 3}, "flag": {"shape": (None,), "dim": None, "dtype": "bool"}, "n": {"shape": (), "dim": None, "dtype": "int32"}, "f0": {"shape": (None, 1), "dim": 1}}
case = {"time": {"data": 5, "flag": 5, "f0": 5}, "int_range": {"n": [1, 4]}, "inputs": {"flag": [[True, False, True, True, False], [True, True, False, False, False], [False, True, True, True, True]]}}
network = {
 "fl": {"class": "cast", "dtype": "float32", "from": "data:flag"},
 "x": {"class": "switch", "condition": "data:flag", "true_from": "data", "false_from": 0.0},
 "any": {"class": "reduce", "mode": "any", "axes": "T", "from": "data:flag"},
 "all": {"class": "reduce", "mode": "all", "axes": "T", "from": "data:flag"},
 "cnt": {"class": "reduce", "mode": "sum", "axes": "T", "from": "fl"},
 "c1": {"class": "compare", "kind": "less", "from": ["data", "data:f0"]},
 "c2": {"class": "combine", "kind": "logical_and", "from": ["data:flag", "c3"]},
 "c3": {"class": "eval", "from": "data:flag", "eval": "tf.logical_not(source(0))"},
 "sq": {"class": "squeeze", "axis": "f", "from": "data:f0"},
 "mul": {"class": "combine", "kind": "mul", "from": ["data", "data:f0"]},
 "mulsq": {"class": "combine", "kind": "sub", "from": ["data", "sq"]},
 "div": {"class": "combine", "kind": "average", "from": ["data", "mul"]},
 "ncmp": {"class": "compare", "kind": "greater", "value": 2, "from": "data:n"},
 "nf": {"class": "cast", "dtype": "float32", "from": "data:n"},
 "nx": {"class": "combine", "kind": "mul", "from": ["data", "nf"]},
 "mx": {"class": "combine", "kind": "maximum", "from": ["data", "mul"]}, "mn": {"class": "combine", "kind": "minimum", "from": ["data", "data:f0"]},
 "sw": {"class": "switch", "condition": "ncmp", "true_from": "data", "false_from": "mul"},
}
