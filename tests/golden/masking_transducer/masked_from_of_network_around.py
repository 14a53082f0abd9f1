# masked_from and a unit's second source are layers of the loop, named from a subnetwork in the loop; out_type by a Data of the config
from returnn.tf.util.data import Data, SpatialDim
time_dim = SpatialDim("time")
extern_data = {"data": {"dim": 3, "same_dim_tags_as": {"T": time_dim}}, "al": {"dim": 4, "same_dim_tags_as": {"T": time_dim}, "sparse": True}, "lab": {"dim": 4, "sparse": True}}


def per_sequence(sources, name, **kwargs):
    return Data(name=name, shape=())


network = {"output": {"class": "rec", "from": "data", "target": "al", "unit": {
    "output": {"class": "choice", "beam_size": 2, "from": "prob", "target": "al", "initial_output": 0},
    "emit": {"class": "compare", "kind": "not_equal", "value": 0, "from": "output", "initial_output": False},
    "previous": {"class": "reinterpret_data", "from": "prev:output", "set_sparse_dim": 4},
    "shown": {"class": "copy", "from": "base:data:lab"},
    "slow": {"class": "subnetwork", "from": [], "subnetwork": {
        "masked": {"class": "masked_computation", "mask": "base:prev:emit", "masked_from": "base:shown", "from": "base:previous", "unit": {
            "class": "subnetwork", "from": "data", "subnetwork": {
                "emb": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data"},
                "output": {"class": "rec", "unit": "nativelstm2", "n_out": 2, "from": "emb"}}}},
        "output": {"class": "unmask", "mask": "base:prev:emit", "from": "masked"}}},
    "s": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["data:source", "slow", "prev:s"]},
    "prob": {"class": "softmax", "from": "s", "target": "al", "loss": "ce"}}},
    "total": {"class": "eval", "from": "data", "eval": "tf.reduce_max(source(0, auto_convert=False), axis=[1, 2])", "out_type": per_sequence}}
case = {"lens": {"data": [4, 7, 1], "al": [4, 7, 1], "lab": [2, 6, 1]}, "inputs": {"al": [[1, 0, 2, 1, 0, 0, 0], [1, 2, 3, 1, 2, 3, 1], [0, 3, 0, 0, 0, 0, 0]], "lab": [[1, 2, 0, 0, 0, 0], [1, 2, 3, 1, 2, 3], [3, 0, 0, 0, 0, 0]]}}
