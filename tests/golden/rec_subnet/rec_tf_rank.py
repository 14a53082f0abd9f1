# a loop without carries that gives x + x
extern_data = {"data": {"dim": 2}}
network = {
    "output": {"class": "rec", "from": "data", "optimize_move_layers_out": False, "unit": {
        "layer1": {"class": "linear", "n_out": 3, "from": "data:source", "is_output_layer": True},
        "output": {"class": "combine", "kind": "add", "from": ["layer1", "layer1"]},
    }},
}
case = {"train": False, "search": False}
