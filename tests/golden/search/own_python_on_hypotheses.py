# attention decoder with Dim objects at behavior_version 25: the weights of each hypothesis through Python code that is not compiled, in the loop and behind it
from returnn.tf.util.data import FeatureDim, SpatialDim, batch_dim
behavior_version = 25
time, feat, att, emb, labels, state = SpatialDim("time"), FeatureDim("feat", 3), FeatureDim("att", 4), FeatureDim("emb", 2), FeatureDim("labels", 6), FeatureDim("state", 5)
out_time = SpatialDim("out")
extern_data = {"data": {"dim_tags": [batch_dim, time, feat], "dtype": "float32"},
  "classes": {"dim_tags": [batch_dim, out_time], "sparse_dim": labels, "dtype": "int32", "available_for_inference": False}}
def sharpened(source, **kwargs):
    import tensorflow as tf
    x = source(0, as_data=True)
    w = x.get_placeholder_as_batch_major()
    order = tf.argsort(tf.argsort(w, axis=1), axis=1)  # ranks
    scaled = w * (1.0 + tf.cast(order, tf.float32) / 7.0)
    scaled = tf.where(tf.sequence_mask(x.get_sequence_lengths(), tf.shape(w)[1]), scaled, 0.0)
    return scaled / tf.reduce_sum(scaled, axis=1, keepdims=True)
def centred(source, **kwargs):
    import tensorflow as tf
    x = source(0)
    return x - tf.sort(x, axis=-1, direction="DESCENDING")[..., :1]
network = {
  "enc": {"class": "linear", "from": "data", "out_dim": att, "activation": "tanh"},
  "output": {"class": "rec", "from": [], "max_seq_len": 6, "target": "classes", "unit": {
    "emb": {"class": "linear", "from": "prev:output", "out_dim": emb, "activation": None},
    "s": {"class": "rnn_cell", "unit": "standardlstm", "n_out": 4, "from": ["emb", "prev:c"]},
    "e": {"class": "dot", "from": ["base:enc", "s"], "reduce": "F"},
    "w": {"class": "softmax_over_spatial", "from": "e", "axis": time},
    "w2": {"class": "eval", "from": "w", "eval": sharpened, "out_type": {"dims": [batch_dim, time], "dtype": "float32"}},
    "c": {"class": "dot", "from": ["base:enc", "w2"], "reduce": time},
    "prob": {"class": "softmax", "from": ["s", "c"], "target": "classes", "out_dim": labels},
    "output": {"class": "choice", "from": "prob", "target": "classes", "beam_size": 3, "initial_output": 0},
    "read": {"class": "copy", "from": "c", "is_output_layer": True},
    "end": {"class": "compare", "from": "output", "value": 0}}},
  "code": {"class": "eval", "from": "output/read", "eval": centred},
  "decision": {"class": "decide", "from": "output"},
  "best": {"class": "decide", "from": "code"}}
case = {"search": True, "seed": 3, "param_scale": 1.0, "lens": {"data": [5, 1, 3]}}
