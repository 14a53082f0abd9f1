# recombination of hypotheses that spell the same text, kept as strings: sums of their scores at the best one
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
labels = ["", "a", "b", "ab"]
def out_str(source, **kwargs):
    import tensorflow as tf
    from returnn.tf.util.basic import where_bc, get_shared_vocab
    return source(0) + where_bc(source(1), tf.gather(get_shared_vocab(labels), source(2)), tf.constant(""))
def recombine(layer, batch_dim, scores_in, scores_base, base_beam_in, end_flags, **kwargs):
    import tensorflow as tf
    prev_str = layer.explicit_search_sources["text"].output
    prev_str = tf.reshape(prev_str.placeholder, (batch_dim, -1))[:, :base_beam_in]
    same = tf.equal(prev_str[:, :, None], prev_str[:, None, :])  # (batch, beam, beam)
    base = scores_base[:, :, 0]
    total = tf.reduce_logsumexp(tf.where(same, base[:, None, :] + tf.zeros_like(base)[:, :, None], float("-inf")), axis=2)
    rank = tf.range(tf.shape(base)[1])
    better = tf.logical_or(base[:, None, :] > base[:, :, None], tf.logical_and(tf.equal(base[:, None, :], base[:, :, None]), rank[None, :] < rank[:, None]))
    worse = tf.reduce_any(tf.logical_and(same, better), axis=2)
    return scores_in + tf.where(worse, tf.fill(tf.shape(base), float("-1e29")), total)[:, :, None]
network = {"output": {"class": "rec", "from": "data", "target": "classes", "unit": {
    "output": {"class": "choice", "beam_size": 4, "from": "prob", "target": "classes", "initial_output": 0, "custom_score_combine": recombine,
       "explicit_search_sources": {"text": "prev:out_str"}, "length_normalization": False},
    "not_blank": {"class": "compare", "from": "output", "value": 0, "kind": "not_equal", "initial_output": True},
    "out_str": {"class": "eval", "from": ["prev:out_str", "not_blank", "output"], "initial_output": None, "out_type": {"shape": (), "dtype": "string"}, "eval": out_str},
    "emb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"},
    "prob": {"class": "softmax", "from": ["data:source", "emb"], "target": "classes"}}},
  "decision": {"class": "decide", "from": "output"}}
case = {"search": True, "seed": 3, "param_scale": 1.0, "lens": {"data": [6,1,4]}}
