# length of a static axis has the dtype that is asked for, of a dynamic one int32; sparse has no effect
extern_data = {"data": {"dim": 3}}
network = {"l": {"class": "length", "from": "data", "sparse": True}, "f": {"class": "length", "from": "data", "dtype": "float32"}, "s": {"class": "length", "from": "data", "axis": "F", "dtype": "float32"}, "ss": {"class": "length", "from": "data", "axis": "F", "sparse": True}}
