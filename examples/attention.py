# Lines of scanned handwritten digits, read by an attention encoder-decoder with beam search.
#
#     python examples/digits_data.py examples/out/digits      (real scans, written once as HDF files)
#     returnn-run examples/attention.py                       (training)
#     returnn-run examples/attention.py ++task search         (beam search on the test lines)
#
# A frame is a column of 8 pixels, a digit is 8 frames wide, a line has 3 to 6 digits. The decoder writes the digits one
# after the other and then label 10, the end: "text" has the digits, with a vocabulary that has the end too.

data_dir = "examples/out/digits"

task = "train"
train = {"class": "HDFDataset", "files": [data_dir + "/train.hdf"], "seq_ordering": "laplace:.100"}
dev = {"class": "HDFDataset", "files": [data_dir + "/dev.hdf"], "seq_ordering": "sorted"}
eval = {"class": "HDFDataset", "files": [data_dir + "/test.hdf"], "seq_ordering": "sorted"}

extern_data = {
    "data": {"dim": 8},
    "text": {"dim": 11, "sparse": True, "available_for_inference": False},
}

end_label = 10
size = 64


def blstm(name, source):
    """A forward and a backward LSTM; a list of both as source joins their features."""
    return {
        name + "_fw": {"class": "rec", "unit": "nativelstm2", "n_out": size, "direction": 1, "from": source},
        name + "_bw": {"class": "rec", "unit": "nativelstm2", "n_out": size, "direction": -1, "from": source},
    }


decoder = {
    # what comes next, from what was written, what was seen, and the memory of both
    "embedding": {"class": "linear", "activation": None, "with_bias": False, "from": "prev:output", "n_out": 32},
    "s": {"class": "rnn_cell", "unit": "LSTMBlock", "from": ["embedding", "prev:att"], "n_out": size},
    # where to look: at frames that fit the memory, and that were not looked at yet
    "query": {"class": "linear", "activation": None, "with_bias": False, "from": "s", "n_out": size},
    "seen": {"class": "linear", "activation": None, "with_bias": False, "from": "prev:accum_weights", "n_out": size},
    "energy_in": {"class": "combine", "kind": "add", "from": ["base:keys", "query", "seen"]},
    "energy_tanh": {"class": "activation", "activation": "tanh", "from": "energy_in"},
    "energy": {"class": "linear", "activation": None, "with_bias": False, "from": "energy_tanh", "n_out": 1},
    "weights": {"class": "softmax_over_spatial", "from": "energy"},
    "accum_weights": {
        "class": "eval",
        "from": ["prev:accum_weights", "weights"],
        "eval": "source(0) + source(1)",
        "out_type": {"dim": 1, "shape": (None, 1)},
    },
    "att": {"class": "generic_attention", "weights": "weights", "base": "base:encoder"},
    "readout": {"class": "linear", "activation": "tanh", "from": ["s", "att"], "n_out": size},
    "output_prob": {"class": "softmax", "from": "readout", "target": "targets", "loss": "ce"},
    "output": {
        "class": "choice",
        "target": "targets",
        "beam_size": 4,
        "from": "output_prob",
        "initial_output": end_label,
    },
    "end": {"class": "compare", "from": "output", "value": end_label},
}

network = {
    **blstm("lstm0", "data"),
    "pool": {"class": "pool", "mode": "max", "pool_size": (4,), "padding": "same", "from": ["lstm0_fw", "lstm0_bw"]},
    **blstm("lstm1", "pool"),
    "encoder": {"class": "copy", "from": ["lstm1_fw", "lstm1_bw"]},
    "keys": {"class": "linear", "activation": None, "from": "encoder", "n_out": size},
    # the digits of the line and the end behind them, as the data key that is the decoder's target
    "text_with_end": {
        "class": "postfix_in_time",
        "from": "data:text",
        "postfix": end_label,
        "register_as_extern_data": "targets",
    },
    "output": {
        "class": "rec",
        "from": [],
        "unit": decoder,
        "target": "targets",
        "max_seq_len": "max_len_from('base:encoder')",
    },
    "decision": {
        "class": "decide",
        "from": "output",
        "target": "text",
        "loss": "edit_distance",
        "only_on_search": True,
    },
}

search_output_layer = "decision"
search_data = "eval"

batch_size = 2000  # frames, padding included
max_seqs = 40
num_epochs = 15
optimizer = {"class": "adam", "epsilon": 1e-8}
learning_rate = 0.002
gradient_clip_global_norm = 5.0

learning_rate_control = "newbob_multi_epoch"
learning_rate_control_relative_error_relative_lr = True
learning_rate_control_min_num_epochs_per_new_lr = 2
newbob_multi_num_epochs = 3
newbob_multi_update_interval = 1
newbob_learning_rate_decay = 0.5
learning_rate_file = "examples/out/attention/learning_rates"

model = "examples/out/attention/net"
cleanup_old_models = True
