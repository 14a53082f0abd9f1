# eval without sources: a table from a function, a number, and in a loop what depends on the step
from returnn.tensor import Dim, batch_dim

time = Dim(None, name="time")
feat = Dim(5, name="feat")
classes_dim = Dim(4, name="classes")
behavior_version = 30
extern_data = {
    "data": {"dim_tags": [batch_dim, time, feat]},
    "classes": {"dim_tags": [batch_dim, time], "sparse_dim": classes_dim, "available_for_inference": False},
}

hidden = Dim(6, name="hidden")


def table(source, self, scale, **kwargs):
    import tensorflow as tf

    assert not self.sources
    return scale * tf.sin(tf.cast(tf.range(6), tf.float32))


network = {
    "table": {"class": "eval", "from": [], "eval": table, "eval_locals": {"scale": 0.5},
              "out_type": {"dims": (hidden,), "dtype": "float32"}},
    "half": {"class": "eval", "from": (), "eval": "tf.constant(0.5) + 1.",
             "out_type": {"shape": (), "batch_dim_axis": None, "time_dim_axis": None, "dtype": "float32"}},
    "h": {"class": "linear", "from": "data", "out_dim": hidden, "activation": "tanh"},
    "scaled": {"class": "combine", "kind": "mul", "from": ["h", "half"]},
    "sum": {"class": "combine", "kind": "add", "from": ["scaled", "table"]},
    "loop": {"class": "rec", "from": "sum", "unit": {
        "x": {"class": "linear", "from": "data:source", "n_out": 7, "activation": None},
        "y": {"class": "linear", "from": "prev:wave", "n_out": 7, "activation": None},
        "s": {"class": "combine", "kind": "add", "from": ["x", "y"], "activation": "tanh"},
        "angle": {"class": "eval", "from": "s", "eval": "source(0) * 0. + tf.cos(tf.cast(self.network.get_rec_step_index(), tf.float32))"},
        "wave": {"class": "combine", "kind": "mul", "from": ["s", "angle"]},
        "output": {"class": "copy", "from": "wave"}}},
    "output": {"class": "softmax", "from": "loop", "out_dim": classes_dim, "loss": "ce", "target": "classes"},
}
