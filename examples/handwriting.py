# Lines of scanned handwritten digits, read by two layers of bidirectional LSTMs with CTC.
#
#     python examples/digits_data.py examples/out/digits      (real scans, written once as HDF files)
#     returnn-run examples/handwriting.py
#
# A frame is a column of 8 pixels, a digit is 8 frames wide, a line has 3 to 6 digits.

data_dir = "examples/out/digits"

task = "train"
train = {"class": "HDFDataset", "files": [data_dir + "/train.hdf"], "seq_ordering": "laplace:.100"}
dev = {"class": "HDFDataset", "files": [data_dir + "/dev.hdf"], "seq_ordering": "sorted"}
eval = {"class": "HDFDataset", "files": [data_dir + "/test.hdf"], "seq_ordering": "sorted"}

extern_data = {
    "data": {"dim": 8},
    "classes": {"dim": 10, "sparse": True},
}


def blstm(name, source, size):
    """A forward and a backward LSTM; a list of both as source joins their features."""
    return {
        name + "_fw": {"class": "rec", "unit": "nativelstm2", "n_out": size, "direction": 1, "from": source},
        name + "_bw": {"class": "rec", "unit": "nativelstm2", "n_out": size, "direction": -1, "from": source},
    }


network = {
    **blstm("lstm0", "data", 64),
    **blstm("lstm1", ["lstm0_fw", "lstm0_bw"], 64),
    "output": {
        "class": "softmax",
        "from": ["lstm1_fw", "lstm1_bw"],
        "n_out": 11,  # ten digits and the blank, which comes last
        "loss": "ctc",
        "target": "classes",
        "loss_opts": {"beam_width": 1},
    },
}

batch_size = 2000  # frames, padding included
max_seqs = 40
num_epochs = 10
optimizer = {"class": "adam", "epsilon": 1e-8}
learning_rate = 0.002
gradient_clip_global_norm = 5.0

# The first epoch sits on CTC's plateau (everything is blank), so the rate must not decay there: it is decided
# on the mean of several epochs.
learning_rate_control = "newbob_multi_epoch"
learning_rate_control_relative_error_relative_lr = True
learning_rate_control_min_num_epochs_per_new_lr = 2
newbob_multi_num_epochs = 3
newbob_multi_update_interval = 1
newbob_learning_rate_decay = 0.5
learning_rate_file = "examples/out/handwriting/learning_rates"

model = "examples/out/handwriting/net"
cleanup_old_models = True
