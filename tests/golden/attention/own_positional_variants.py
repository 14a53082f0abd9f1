# odd number of channels, offset per frame, constant alone, another axis, time-major source
extern_data = {"data": {"dim": 5}, "four": {"dim": 4, "shape": (None, 3, 4)}}
network = {
    "odd": {"class": "positional_encoding", "add_to_input": True, "from": "data"},
    "const": {"class": "positional_encoding", "constant": 0, "n_out": 7, "from": "data"},
    "one": {"class": "reduce", "mode": "argmax", "axis": "F", "from": "data"},
    "off": {"class": "reinterpret_data", "set_sparse": False, "from": "one"},
    "per_frame": {"class": "positional_encoding", "n_out": 6, "offset": "off", "from": "data"},
    "constant_offset": {"class": "positional_encoding", "constant": 2, "n_out": 6, "offset": "off", "from": "data"},
    "axis": {"class": "positional_encoding", "add_to_input": True, "axis": "static:0", "from": "data:four"},
    "four_t": {"class": "positional_encoding", "n_out": 4, "from": "data:four"},
    "l": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "from": "data"},
    "tm": {"class": "positional_encoding", "add_to_input": True, "from": "l"},
}
