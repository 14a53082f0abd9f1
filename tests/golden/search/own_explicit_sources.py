# custom_score_combine over explicit layers of the step before: labels and a wider state, compared pairwise
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
def combine_scores(layer, batch_dim, scores_in, scores_base, base_beam_in, end_flags, **kwargs):
    import tensorflow as tf
    prev = layer.explicit_search_sources[0].output  # [B*beam]
    prev_t = tf.reshape(prev.placeholder, (batch_dim, -1))[:, :base_beam_in]
    assert layer.output.dim == 4
    count = layer.explicit_search_sources[1].output.placeholder
    count = tf.reshape(count, (batch_dim, -1, 2))[:, :base_beam_in]
    # hypotheses with the same last label: the best of them stays
    same = tf.equal(prev_t[:, :, None], prev_t[:, None, :])
    other = tf.where(same, scores_base[:, None, :, 0] + tf.zeros_like(scores_base), float("-inf"))
    best = tf.reduce_max(other, axis=2)
    base = tf.where(tf.less(scores_base[:, :, 0], best), scores_base[:, :, 0] - 0.5, scores_base[:, :, 0])
    bonus = tf.reduce_sum(count, axis=-1) * 0.1
    return scores_in + (base + bonus)[:, :, None]
network = {"output": {"class": "rec", "from": "data", "target": "classes", "unit": {
    "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0, "custom_score_combine": combine_scores,
       "explicit_search_sources": ["prev:output", "prev:emb2"], "length_normalization": False},
    "emb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"},
    "emb2": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "output"},
    "prob": {"class": "softmax", "from": ["data:source", "emb"], "target": "classes"}}},
  "decision": {"class": "decide", "from": "output"}}
case = {"search": True, "seed": 1, "param_scale": 1.0}
