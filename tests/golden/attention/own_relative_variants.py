# distances between two axes, an offset of the queries, sinusoids of odd width
extern_data = {"data": {"dim": 4, "shape": (None, 3, 4)}}
network = {
    "a": {"class": "relative_positional_encoding", "n_out": 5, "clipping": 2, "fixed": True, "query_spatial_dim": "T", "key_value_spatial_dim": "static:0", "from": "data"},
    "b": {"class": "relative_positional_encoding", "n_out": 2, "clipping": 1, "query_offset": 2, "from": "data"},
}
