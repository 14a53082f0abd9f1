# the same where the sizes depend on what the loop has found, and the slices feed its state
extern_data = {"data": {"dim": 3}, "n": {"dim": 4, "sparse": True}}
network = {
    "enc": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "loop": {"class": "rec", "from": "data:n", "unit": {
        "num": {"class": "reinterpret_data", "set_sparse": False, "from": "data:source"},
        "pos": {"class": "eval", "from": ["num", "prev:pos"], "eval": "source(0) + source(1)", "initial_output": 0},
        "sl": {"class": "slice_nd", "from": "base:enc", "start": "prev:pos", "size": "num2", "is_output_layer": True},
        "lin": {"class": "linear", "n_out": 3, "activation": "tanh", "from": "sl", "is_output_layer": True},
        "red": {"class": "reduce", "mode": "sum", "axis": "stag:sliced", "from": "lin"},
        "h": {"class": "linear", "activation": "tanh", "n_out": 2, "from": ["prev:h", "prev:red"]},
        "yes": {"class": "reduce", "mode": "sum", "axis": "F", "from": "h"},
        "go": {"class": "compare", "kind": "greater", "value": 0.0, "from": "yes"},
        "num2": {"class": "switch", "condition": "go", "true_from": "num", "false_from": 2},
        "output": {"class": "copy", "from": ["red", "h"]},
    }},
    "sl": {"class": "copy", "from": "loop/sl"},
    "lin": {"class": "copy", "from": "loop/lin"},
    "output": {"class": "copy", "from": "loop", "loss": "as_is"},
    "total": {"class": "reduce", "mode": "sum", "axis": "stag:sliced", "from": "sl"},
    "lens": {"class": "length", "axis": "stag:sliced", "from": "lin"},
    "sum": {"class": "reduce", "mode": "max", "axis": "stag:sliced", "from": "lin", "loss": "as_is"},
}
case = {"fetch": ["loop", "output", "total", "lens", "sum"], "time": {"data": 9, "n": 5}}
