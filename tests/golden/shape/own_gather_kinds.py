# gather by numbers, by positions per sequence and per frame, of several axes
extern_data = {"data": {"dim": 3}, "pos": {"dim": 3, "sparse": True, "shape": (None,)}, "one": {"dim": 3, "sparse": True, "shape": ()}, "w": {"dim": 4, "shape": (None, 5, 4)}}
network = {"g0": {"class": "gather", "position": 0, "axis": "F", "from": "data"},
           "g1": {"class": "gather", "position": 1, "axis": "T", "from": "data"},
           "gp": {"class": "gather", "position": "data:one", "axis": "T", "from": "data"},
           "gt": {"class": "gather", "position": "data:pos", "axis": "T", "clip_to_valid": True, "from": "data"},
           "gf": {"class": "gather", "position": "data:one", "axis": "F", "from": "data"},
           "gs": {"class": "gather", "position": "data:one", "axis": "static:0", "from": "data:w"},
           "gn": {"class": "gather_nd", "position": "data:one", "from": "data"},
           "gnt": {"class": "gather_nd", "position": "data:pos", "from": "data"},
           "gw": {"class": "gather", "position": "data:pos", "axis": "static:0", "from": "data:w"}}
case = {"lens": {"data": [4, 5, 3], "pos": [2, 3, 1], "w": [4, 5, 3]}}
