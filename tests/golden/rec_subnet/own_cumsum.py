# cumsum over time, features, backwards, and in a loop with a start
extern_data = {"data": {"dim": 3}}
network = {"a": {"class": "cumsum", "from": "data"}, "b": {"class": "cumsum", "from": "data", "axis": "F"}, "c": {"class": "cumsum", "from": "data", "reverse": True},
  "d": {"class": "cumsum", "from": "data", "additional_left_summand_per_element": 2},
  "loop": {"class": "rec", "from": "data", "unit": {
    "i": {"class": "cumsum", "from": "one", "initial_output": 3}, "one": {"class": "compare", "from": "sum", "kind": "greater", "value": 0.0}, "sum": {"class": "reduce", "mode": "sum", "axes": "F", "from": "data:source"},
    "cs": {"class": "cumsum", "from": ["prev:output", "data:source"], "initial_output": 1.5, "additional_left_summand_per_element": 1},
    "f": {"class": "cumsum", "from": "cs", "axis": "F"},
    "output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "f"}}}, "obj": {"class": "eval", "from": "loop", "eval": "source(0) ** 2", "loss": "as_is"}}
network["loop"]["unit"].pop("i"); network["loop"]["unit"].pop("one"); network["loop"]["unit"].pop("sum")
