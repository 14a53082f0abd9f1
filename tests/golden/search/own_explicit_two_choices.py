# a search of two choices: one with its own explicit source and combination of tensors over a dense, wider layer, scores scaled, the second log_prob input and length norm
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}, "flags": {"dim": 2, "sparse": True, "available_for_inference": False}}
def combine(layer, batch_dim, scores_in, scores_base, base_beam_in, end_flags, t, **kwargs):
    import tensorflow as tf
    state = layer.explicit_search_sources["state"].output
    n = state.dim
    bonus = tf.reshape(tf.reduce_sum(state.placeholder, axis=-1) / n, (batch_dim, base_beam_in))
    comb = scores_in * 0.8 + scores_base - tf.abs(bonus)[:, :, None] * tf.cast(tf.minimum(t, 3), tf.float32)
    return tf.where(end_flags[:, :, None], scores_base + scores_in, comb)
network = {"enc": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data"},
 "output": {"class": "rec", "from": "enc", "unit": {
  "emb": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "prev:output"},
  "state": {"class": "rnn_cell", "unit": "gru", "n_out": 3, "from": ["emb", "data:source"]},
  "emit_logits": {"class": "linear", "activation": None, "n_out": 2, "from": ["state"]},
  "emit": {"class": "choice", "from": "emit_logits", "input_type": "logits", "target": "flags", "beam_size": 3, "initial_output": 0, "length_normalization": False, "prob_scale": 0.7},
  "emit_emb": {"class": "linear", "activation": None, "n_out": 3, "from": "emit"},
  "prob": {"class": "linear", "activation": "log_softmax", "from": ["state", "emit_emb"], "target": "classes"},
  "output": {"class": "choice", "from": "prob", "input_type": "log_prob", "target": "classes", "beam_size": 3, "initial_output": 0, "custom_score_combine": combine, "length_normalization": False,
     "explicit_search_sources": {"state": "state"}}}},
 "decision": {"class": "decide", "from": "output"}}
case = {"search": True, "param_scale": 1.0, "seed": 5}
