# initial_output "apply(0)" of layers that need each other's previous step; a loop with name_scope has no scope "rec"
extern_data = {"data": {"dim": 3}}
network = {"output": {"class": "rec", "from": "data", "name_scope": "loop", "unit": {
    "a": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["data:source", "prev:b"], "initial_output": "apply(0)", "name_scope": "inner"},
    "b": {"class": "linear", "activation": "sigmoid", "n_out": 2, "from": ["prev:c", "a"], "initial_output": "apply(0)"},
    "c": {"class": "combine", "kind": "mul", "from": ["prev:c", "b"], "initial_output": "apply(0)"},
    "output": {"class": "copy", "from": ["a", "b", "c"]}}}, "obj": {"class": "eval", "eval": "source(0) ** 2", "from": "output", "loss": "as_is"}}
case = {"train": True, "seed": 2}
