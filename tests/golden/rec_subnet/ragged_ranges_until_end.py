# a loop that finds its own end gives a range of another size in each step, by sequence
extern_data = {"data": {"dim": 3}}
network = {
    "loop": {"class": "rec", "from": [], "max_seq_len": 9, "unit": {
        "start": {"class": "reduce", "mode": "mean", "axis": "T", "from": "base:data"},
        "h": {"class": "linear", "n_out": 4, "activation": "tanh", "from": ["start", "prev:h"]},
        "i": {"class": "eval", "eval": "source(0) + 1", "from": "prev:i", "initial_output": 0, "out_type": {"dtype": "int32", "shape": (), "dim": None}},
        "len": {"class": "length", "from": "base:data"},
        "end": {"class": "compare", "kind": "greater_equal", "from": ["i", "len"]},
        "cnt": {"class": "eval", "from": ["i", "len"], "eval": "tf.minimum(2 * source(0), source(1))"},
        "r": {"class": "range_from_length", "from": "cnt", "is_output_layer": True},
        "rf": {"class": "cast", "dtype": "float32", "from": "r"},
        "win": {"class": "combine", "kind": "mul", "from": ["h", "rf"], "is_output_layer": True},
        "output": {"class": "linear", "n_out": 2, "activation": "tanh", "from": "h"},
    }},
    "win": {"class": "copy", "from": "loop/win"},
    "output": {"class": "copy", "from": "loop", "loss": "as_is"},
    "sum": {"class": "reduce", "mode": "sum", "axis": "dyn:1", "from": "win"},
    "lens": {"class": "length", "axis": "dyn:1", "from": "win"},
    "all": {"class": "reduce", "mode": "mean", "axis": "dyn:1", "from": "win", "loss": "as_is"},
}
case = {"lens": {"data": [3, 7, 1]}, "fetch": ["loop", "output", "sum", "lens", "all"]}
