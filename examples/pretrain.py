# The digit lines of handwriting.py, read by a network that grows while it is trained.
#
#     python examples/digits_data.py examples/out/digits
#     returnn-run examples/pretrain.py
#     python examples/learning_curve.py examples/out/pretrain/learning_rates examples/out/pretrain.svg
#
# It begins with one layer of narrow LSTMs; then it gets a second one, a third one, and last its full width. What it has
# in common with the network before it keeps its values, block by block: the gates of an LSTM grow each by itself.

data_dir = "examples/out/digits"

task = "train"
train = {"class": "HDFDataset", "files": [data_dir + "/train.hdf"], "seq_ordering": "laplace:.100"}
dev = {"class": "HDFDataset", "files": [data_dir + "/dev.hdf"], "seq_ordering": "sorted"}
eval = {"class": "HDFDataset", "files": [data_dir + "/test.hdf"], "seq_ordering": "sorted"}

extern_data = {
    "data": {"dim": 8},
    "classes": {"dim": 10, "sparse": True},
}

LAYERS, WIDTHS = 3, (32, 64)


def build(num_layers, width):
    """A stack of bidirectional LSTMs with CTC."""
    network, source = {}, "data"
    for index in range(num_layers):
        names = []
        for name, direction in ((f"lstm{index}_fw", 1), (f"lstm{index}_bw", -1)):
            network[name] = {
                "class": "rec",
                "unit": "nativelstm2",
                "n_out": width,
                "direction": direction,
                "from": source,
            }
            names.append(name)
        source = names
    network["output"] = {
        "class": "softmax",
        "from": source,
        "n_out": 11,  # ten digits and the blank, which comes last
        "loss": "ctc",
        "target": "classes",
        "loss_opts": {"beam_width": 1},
    }
    return network


def construction_algo(idx, net_dict):
    """The network of each step of the pretraining: RETURNN asks with idx = 0, 1, ... until there is None."""
    if idx >= LAYERS:
        return None
    network = build(num_layers=idx + 1, width=WIDTHS[0])
    # values of the config's options in these epochs
    network["#config"] = {"batch_size": 1000, "learning_rate": 0.003}
    return network


pretrain = {"construction_algo": construction_algo, "copy_param_mode": "subset", "repetitions": [2, 1, 1, 1]}
network = build(num_layers=LAYERS, width=WIDTHS[1])

batch_size = 2000  # frames, padding included
max_seqs = 40
num_epochs = 12
optimizer = {"class": "adam", "epsilon": 1e-8}
learning_rate = 0.002
gradient_clip_global_norm = 5.0
learning_rate_control = "newbob"
use_learning_rate_control_always = True  # without it a learning_rate in #config is refused beside pretrain
newbob_learning_rate_decay = 0.5
learning_rate_file = "examples/out/pretrain/learning_rates"

model = "examples/out/pretrain/net"
