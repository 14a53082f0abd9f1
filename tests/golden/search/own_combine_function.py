# custom_score_combine that uses the step and who has ended
import tensorflow as tf
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
def combine_scores(layer, batch_dim, scores_in, scores_base, t, end_flags, base_beam_in, **kwargs):
    penalty = tf.where(tf.expand_dims(end_flags, -1), tf.zeros_like(scores_in), tf.ones_like(scores_in) * 0.1)
    return scores_base + scores_in - penalty * tf.cast(t + 1, tf.float32)
network = {"enc": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"}, "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": 6, "unit": {
    "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0, "custom_score_combine": combine_scores},
    "emb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"}, "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": ["emb", "base:enc"]}, "prob": {"class": "softmax", "from": ["s"], "target": "classes"},
    "end": {"class": "compare", "from": "output", "value": 0}}},
  "decision": {"class": "decide", "from": "output"}}
case = {"search": True, "seed": 1, "param_scale": 1.0}
