# two searches, the second over the decided states of the first, with a limit that is code over their length
from returnn.tf.util.data import batch_dim, SpatialDim, FeatureDim
behavior_version = 21
time_dim, in_dim, a_dim, b_dim = SpatialDim("time"), FeatureDim("in", 3), FeatureDim("a", 5), FeatureDim("b", 4)
extern_data = {"data": {"dim_tags": [batch_dim, time_dim, in_dim]}, "other": {"dim_tags": [batch_dim, SpatialDim("ot")], "sparse_dim": a_dim, "available_for_inference": False}, "classes": {"dim_tags": [batch_dim, SpatialDim("ct")], "sparse_dim": b_dim, "available_for_inference": False}}
def _decoder(target, beam, source, limit):
    return {"class": "rec", "from": [], "target": target, "max_seq_len": limit, "unit": {
        "output": {"class": "choice", "beam_size": beam, "from": "prob", "target": target, "initial_output": 0},
        "end": {"class": "compare", "from": "output", "value": 0},
        "emb": {"class": "linear", "n_out": 3, "activation": None, "from": "prev:output"},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["emb", source], "is_output_layer": True},
        "prob": {"class": "softmax", "from": "s", "target": target}}}
network = {
    "av": {"class": "reduce", "mode": "mean", "axis": time_dim, "from": "data"},
    "first": _decoder("other", 2, "base:av", "max_len_from('base:data') + 1"),
    "states": {"class": "decide", "from": "first/s"},
    "h": {"class": "rec", "unit": "lstm", "n_out": 3, "from": "states"},
    "hav": {"class": "reduce", "mode": "mean", "axis": "T", "from": "h"},
    "output": _decoder("classes", 3, "base:hav", "tf.minimum(2 * max_len_from('base:h'), 6)"),
    "best": {"class": "decide", "from": "output"},
}
case = {"search": True, "lens": {"data": [3, 7, 1]}, "seed": 5, "param_scale": 1.0}
