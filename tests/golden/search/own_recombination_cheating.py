# t_recomb: of hypotheses with the same label the best stays; a loop with an end, ended hypotheses keep theirs, the truth is in the beam
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True}}
def recombine(layer, batch_dim, scores_in, scores_base, base_beam_in, end_flags, **kwargs):
    import tensorflow as tf
    from TFUtil import where_bc
    end_flags = tf.expand_dims(end_flags, axis=-1)
    scores = scores_in + scores_base
    best_idxs = tf.cast(tf.argmax(scores, axis=1), tf.int32)
    mask = tf.equal(tf.range(base_beam_in)[None, :, None], best_idxs[:, None, :])
    last = tf.equal(tf.range(base_beam_in)[None, :, None], base_beam_in - 1)
    return where_bc(end_flags, scores, where_bc(tf.logical_or(mask, last), scores, float("-1e29")))
network = {"enc": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
 "output": {"class": "rec", "from": [], "max_seq_len": "max_len_from('base:enc') + 1", "unit": {
  "emb": {"class": "linear", "activation": None, "n_out": 3, "from": "prev:output"},
  "att_e": {"class": "dot", "from": ["base:enc", "q"], "reduce": "F", "var2": None},
  "q": {"class": "linear", "activation": None, "n_out": 4, "from": "emb"},
  "w": {"class": "softmax_over_spatial", "from": "att_e"},
  "c": {"class": "generic_attention", "weights": "w", "base": "base:enc"},
  "prob": {"class": "softmax", "from": ["c", "emb"], "n_out": 5, "target": "classes"},
  "output": {"class": "choice", "from": "prob", "target": "classes", "beam_size": 4, "initial_output": 0, "cheating": "exclusive", "length_normalization": False, "custom_score_combine": recombine},
  "end": {"class": "compare", "from": "output", "value": 0}}, "target": "classes"},
 "decision": {"class": "decide", "from": "output"}}
case = {"search": True, "param_scale": 1.0, "seed": 4, "inputs": {"classes": [[2, 3, 1, 0, 0], [4, 0, 0, 0, 0], [1, 2, 2, 4, 0]]}, "lens": {"classes": [4, 2, 5]}}
