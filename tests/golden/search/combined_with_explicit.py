# a search whose scores are combined with those of an explicit source of the step before
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
def combine_scores(layer, batch_dim, scores_in, scores_base, base_beam_in, scores_beam_in, t, end_flags, **kwargs):
    import tensorflow as tf
    x = layer.explicit_search_sources[0].output.copy_as_batch_major().placeholder
    x = tf.reshape(x, [batch_dim, base_beam_in, -1])
    return scores_base * 0.9 + scores_in + tf.reduce_mean(x, axis=2, keepdims=True) * tf.cast(t + 1, tf.float32)
network = {
  "enc": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"},
  "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "enc"},
  "dec": {"class": "rec", "from": [], "target": "classes", "max_seq_len": "max_len_from('base:enc') + 1", "unit": {
    "emb": {"class": "linear", "activation": None, "n_out": 3, "from": "prev:o"},
    "st": {"class": "rec", "unit": "lstm", "n_out": 3, "from": ["emb", "base:mean"]},
    "sum": {"class": "combine", "kind": "add", "from": ["prev:sum", "st"], "initial_output": "base:mean"},
    "prob": {"class": "softmax", "from": ["st", "sum"], "target": "classes"},
    "o": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 1,
       "custom_score_combine": combine_scores, "explicit_search_sources": ["prev:sum"]},
    "end": {"class": "compare", "from": "o", "value": 0},
    "output": {"class": "copy", "from": "o"}}},
  "decision": {"class": "decide", "from": "dec"}, "output": {"class": "copy", "from": "decision"}}
case = {"search": True, "seed": 3, "param_scale": 1.0}
