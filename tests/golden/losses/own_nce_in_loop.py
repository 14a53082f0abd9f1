# noise contrastive estimation at the output of a decoder that is a loop: one draw for all steps; states stay in it
weights = [1e-9, 1e-9, 1.0, 1e-9, 1e-9]
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True}}
network = {"enc": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"},
  "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": 9, "unit": {
    "emb": {"class": "linear", "activation": None, "n_out": 2, "from": "prev:label"},
    "s": {"class": "rnn_cell", "unit": "standardlstm", "n_out": 3, "from": ["emb", "base:enc"]},
    "readout": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["s", "prev:s"]},
    "prob": {"class": "softmax", "from": ["readout", "emb"], "target": "classes", "use_transposed_weights": True, "loss": "sampling_loss",
        "loss_opts": {"num_sampled": 1, "nce_loss": True, "sampler": "fixed_unigram", "sampler_args": {"unigrams": weights}, "nce_log_norm_term": 0.7}},
    "label": {"class": "choice", "from": "prob", "target": "classes", "beam_size": 3, "initial_output": 0},
    "output": {"class": "copy", "from": "label"}}}}
case = {"train": True}
