# top_k with a k that is computed
extern_data = {"data": {"dim": 4}}
network = {"count": {"class": "constant", "value": 2}, "dynamic": {"class": "top_k", "axis": "F", "k": "count", "from": "data"}, "at": {"class": "copy", "from": "dynamic/indices"},
  "len": {"class": "length", "axis": "T", "from": "data"}, "per_seq": {"class": "eval", "from": "len", "eval": "tf.minimum(source(0), 3)"}, "ragged": {"class": "top_k", "axis": "F", "k": "per_seq", "from": "data"}}
case = {"lens": {"data": [5, 2, 1]}}
