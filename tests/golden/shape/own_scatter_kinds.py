# scatter_nd: time to time of another layer, with invalid positions
extern_data = {"data": {"dim": 3}, "pos": {"shape": (None,), "dtype": "int32", "dim": None}, "out": {"dim": 2}}
network = {"p": {"class": "reinterpret_data", "size_base": "data", "from": "data:pos"},
           "s": {"class": "scatter_nd", "position": "p", "position_axis": "T", "output_dim_via_time_from": "data:out", "filter_invalid_indices": True, "from": "data"},
           "self": {"class": "scatter_nd", "position": "p", "position_axis": "T", "output_dim_via_time_from": "data", "filter_invalid_indices": True, "from": "data"}}
case = {"lens": {"data": [4, 5, 1], "pos": [4, 5, 1], "out": [6, 7, 2]}, "inputs": {"pos": [[0, 2, 2, 5, -1], [1, 0, -1, 4, 6], [1, -1, -1, -1, -1]]}}
