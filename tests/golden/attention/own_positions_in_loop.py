# positions in a loop: alone, from the step number, with an offset
extern_data = {"data": {"dim": 4}, "off": {"shape": (), "dtype": "int32"}}
network = {"loop": {"class": "rec", "from": "data", "unit": {
    "p1": {"class": "positional_encoding", "n_out": 6, "from": "data:source"},
    "p2": {"class": "positional_encoding", "n_out": 5, "from": "prev:output"},
    "p3": {"class": "positional_encoding", "add_to_input": True, "offset": "base:data:off", "from": "prev:output"},
    "i": {"class": "eval", "eval": "tf.cast(source(0), tf.float32) * source(1)", "from": [":i", "p3"]},
    "output": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["p1", "p2", "i"]}}}, "obj": {"class": "eval", "from": "loop", "eval": "source(0) ** 2", "loss": "as_is"}}
case = {"int_range": {"off": [0, 9]}}
