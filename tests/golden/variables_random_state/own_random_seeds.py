# random numbers that follow from a seed alone: distributions, dtypes, forms of seeds, a state layer
extern_data = {"data": {"dim": 3}}
network = {
  "u": {"class": "random", "distribution": "uniform", "bound": 0.5, "shape": (5,), "static": True, "seed": 1},
  "d": {"class": "random", "distribution": "uniform", "mean": 1.0, "stddev": 2.0, "shape": (3, 3), "static": True, "seed": -5},
  "i": {"class": "random", "distribution": "uniform", "minval": -3, "maxval": 12, "dtype": "int32", "shape": (9,), "static": True, "seed": [1, 2]},
  "n": {"class": "random", "distribution": "normal", "stddev": "dev", "shape": (2, 2, 2), "static": True, "seed": 18446744073709551617},
  "dev": {"class": "constant", "value": 0.25},
  "st": {"class": "random_state_init", "seed": [4, 5, 6, 7]}, "st2": {"class": "random_state_init", "seed": 2 ** 63 + 1},
  "s": {"class": "random", "distribution": "normal", "shape": (7,), "explicit_state": "st"},
  "none": {"class": "random", "distribution": "uniform", "maxval": 2.0, "shape": (), "static": True, "seed": 3},
  "sum": {"class": "combine", "kind": "add", "from": ["data", "noise"]}, "noise": {"class": "random", "distribution": "normal", "shape": (3,), "static": True, "seed": 9}}
case = {}
