# time_chunking of labels-free 4-D data, steps larger and smaller than chunks
extern_data = {"data": {"dim": 2, "shape": (None, 2, 2)}}
network = {"ch": {"class": "time_chunking", "chunk_size": 3, "chunk_step": 1, "from": "data"},
           "un": {"class": "time_unchunking", "chunking_layer": "ch", "from": "ch"},
           "ch2": {"class": "time_chunking", "chunk_size": 10, "chunk_step": 5, "from": "data"}}
case = {"lens": {"data": [5, 7, 1]}}
