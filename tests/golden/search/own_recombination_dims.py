# time-synchronous search with Dim objects at behavior_version 30: recombination over labels without blanks, as an exported function of tensors
from returnn.tf.util.data import FeatureDim, SpatialDim, batch_dim
behavior_version = 30
time, feat, enc, emb, labels = SpatialDim("time"), FeatureDim("feat", 3), FeatureDim("enc", 4), FeatureDim("emb", 2), FeatureDim("labels", 5)
extern_data = {"data": {"dim_tags": [batch_dim, time, feat], "dtype": "float32"},
  "classes": {"dim_tags": [batch_dim, time], "sparse_dim": labels, "dtype": "int32", "available_for_inference": False}}
def recombine(layer, batch_dim, scores_in, scores_base, base_beam_in, end_flags, **kwargs):
    import tensorflow as tf
    last = layer.explicit_search_sources[0].output.placeholder  # [B*beam]
    count = layer.explicit_search_sources[1].output.placeholder
    key = tf.reshape(last * 100 + count, (batch_dim, -1))[:, :base_beam_in]
    same = tf.equal(key[:, :, None], key[:, None, :])  # [B, beam, beam]
    base = scores_base[:, :, 0]
    others = tf.where(same, tf.expand_dims(base, 1), -1e30)
    better = tf.logical_and(same, tf.greater(tf.expand_dims(base, 1), tf.expand_dims(base, 2)))
    kept = tf.where(tf.reduce_any(better, axis=2), -1e29, tf.reduce_logsumexp(others, axis=2))
    return scores_in + kept[:, :, None]
network = {
  "enc": {"class": "linear", "from": "data", "out_dim": enc, "activation": "tanh"},
  "output": {"class": "rec", "from": "enc", "axis": time, "unit": {
    "output": {"class": "choice", "from": "prob", "input_type": "log_prob", "target": "classes", "beam_size": 4, "initial_output": 0, "length_normalization": False,
       "custom_score_combine": recombine, "explicit_search_sources": ["prev:last", "prev:count"]},
    "not_blank": {"class": "compare", "from": "output", "kind": "not_equal", "value": 0, "initial_output": False},
    "last": {"class": "switch", "condition": "not_blank", "true_from": "output", "false_from": "prev:last", "initial_output": 0},
    "one": {"class": "cast", "from": "not_blank", "dtype": "int32"},
    "count": {"class": "combine", "kind": "add", "from": ["prev:count", "one"], "initial_output": 0},
    "emb": {"class": "linear", "from": "prev:last", "out_dim": emb, "activation": None},
    "in": {"class": "linear", "from": ["data:source", "emb"], "out_dim": enc, "activation": "tanh"},
    "prob": {"class": "linear", "from": "in", "out_dim": labels, "activation": "log_softmax"}}},
  "decision": {"class": "decide", "from": "output"}}
case = {"search": True, "seed": 2, "param_scale": 0.8, "lens": {"data": [6, 1, 4]}, "fetch_extra": []}
