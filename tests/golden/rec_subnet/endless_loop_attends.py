# a loop that ends by itself: an attention context, initial outputs, max_seq_len as code and the number of the step
behavior_version = 21
from returnn.tensor import batch_dim
from returnn.tf.util.data import SpatialDim, FeatureDim
t, f, c = SpatialDim("time"), FeatureDim("in", 4), FeatureDim("classes", 5)
extern_data = {"data": {"dim_tags": [batch_dim, t, f]}}
steps = SpatialDim("steps")
network = {
    "enc": {"class": "linear", "from": "data", "out_dim": FeatureDim("e", 3), "activation": "tanh"},
    "sum": {"class": "reduce", "mode": "mean", "from": "enc", "axis": t},
    "dec": {"class": "rec", "from": [], "axis": steps, "max_seq_len": "tf.minimum(max_len_from('base:enc') * 2, 7) - 1", "unit": {
        "st": {"class": "rec", "unit": "lstm", "from": "prev:ctx", "n_out": 3, "initial_state": {"c": "base:sum", "h": 0}},
        "en": {"class": "dot", "from": ["base:enc", "st"], "red1": "F", "red2": "F", "var1": "T", "var2": None},
        "en2": {"class": "eval", "from": "en", "eval": "source(0) * tf.cast(self.network.get_rec_step_index() + 1, 'float32')"},
        "al": {"class": "softmax_over_spatial", "from": "en2", "axis": t},
        "ctx": {"class": "dot", "from": ["al", "base:enc"], "reduce": t, "initial_output": "base:sum"},
        "step": {"class": "copy", "from": "ctx"},
        "output": {"class": "copy", "from": "step"},
        "end": {"class": "compare", "from": ":i", "kind": "greater_equal", "value": 4},
    }},
    "zero": {"class": "eval", "from": "enc0", "eval": "source(0) * 0."},
    "enc0": {"class": "reduce", "mode": "sum", "from": "enc", "axis": "F"},
    "output": {"class": "reduce", "mode": "sum", "from": "dec", "axis": steps, "loss": "as_is"},
}
case = {"train": True}
