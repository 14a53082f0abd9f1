# the score of the decision in an expression
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True, "available_for_inference": False}}
network = {
    "output": {"class": "rec", "from": "data", "target": "classes", "unit": {
        "emb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:output"},
        "prob": {"class": "softmax", "from": ["data:source", "emb"], "target": "classes"},
        "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0,
                   "length_normalization": False}}},
    "decision": {"class": "decide", "from": "output"},
    "score": {
        "class": "eval", "from": "decision",
        "out_type": {"dtype": "float32", "sparse": False, "shape": (), "dim": None, "batch_dim_axis": 0,
                     "time_dim_axis": None},
        "eval": "(source(0, auto_convert=False), tf.squeeze(self.sources[0].search_choices.beam_scores, axis=1)"
        " / tf.cast(source(0, auto_convert=False, as_data=True).get_sequence_lengths(), tf.float32))[-1]"},
}
case = {"search": True, "seed": 2, "param_scale": 1.0}
