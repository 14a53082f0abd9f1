# search_sorted of floats, with a static axis, without batch, with a time axis of its own
import numpy
extern_data = {"data": {"dim": 4}}
network = {
  "edges": {"class": "constant", "value": numpy.array([-1.0, 0.0, 0.5, 2.0], "float32")},
  "first": {"class": "slice", "axis": "F", "slice_end": 1, "from": "data"}, "one": {"class": "squeeze", "axis": "F", "from": "first"},
  "bins": {"class": "search_sorted", "sorted_sequence": "edges", "values": "per_seq", "axis": "F"},
  "per_seq": {"class": "reduce", "mode": "sum", "axis": "F", "from": "one_frame"}, "one_frame": {"class": "reduce", "mode": "max", "axis": "T", "from": "data"},
  "cum": {"class": "eval", "from": "summed", "eval": "source(0)"}, "summed": {"class": "cumsum", "axis": "T", "from": "pos"}, "pos": {"class": "eval", "from": "one", "eval": "tf.abs(source(0))"},
  "where": {"class": "search_sorted", "sorted_sequence": "cum", "values": "one_frame", "axis": "T", "side": "right"},
  "back": {"class": "search_sorted", "sorted_sequence": "cum", "values": "pos2", "axis": "T", "side": "LEFT"}, "pos2": {"class": "reduce", "mode": "max", "axis": "T", "from": "data"}}
case = {"lens": {"data": [5, 1, 4]}}
