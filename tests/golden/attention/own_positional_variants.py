# odd number of channels, offset per frame, constant alone, another axis, time-major source
extern_data = {"data": {"dim": 5}, "off": {"dim": None, "shape": (None,), "dtype": "int32", "same_dim_tags_as": None}, "four": {"dim": 4, "shape": (None, 3, 4)}}
extern_data["off"].pop("same_dim_tags_as")
network = {
    "odd": {"class": "positional_encoding", "add_to_input": True, "from": "data"},
    "const": {"class": "positional_encoding", "constant": 0, "n_out": 7, "from": "data"},
    "len": {"class": "cumsum", "axis": "T", "from": "ones"},
    "ones": {"class": "eval", "from": "data", "eval": "tf.cast(source(0)[:, :, 0] * 0 + 1, 'int32')", "out_type": {"shape": (None,), "dim": None, "dtype": "int32", "feature_dim_axis": None}},
    "per_frame": {"class": "positional_encoding", "n_out": 6, "offset": "len", "from": "data"},
    "axis": {"class": "positional_encoding", "add_to_input": True, "axis": "static:0", "from": "data:four"},
    "four_t": {"class": "positional_encoding", "n_out": 4, "from": "data:four"},
    "l": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "from": "data"},
    "tm": {"class": "positional_encoding", "add_to_input": True, "from": "l"},
}
