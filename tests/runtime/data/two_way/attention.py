# An encoder with attention that gets wider in epoch 4 and deeper in epoch 5, by get_network.
import os

import numpy as np

folder = os.environ["TWO_WAY_FOLDER"]
rng = np.random.RandomState(5)


def sequence(length):
    frames = rng.normal(size=(length, 4)).astype("float32")
    labels = np.argmax(frames[::2, :3], axis=1) + 1
    return {"data": frames, "classes": np.append(labels, 0).astype("int32")}


data = [sequence(int(length)) for length in rng.randint(3, 16, 20)]
static = {"class": "StaticDataset", "data": data, "output_dim": {"data": (4, 2), "classes": (4, 1)}}
task = "train"
use_tensorflow = True
device = "cpu"
train = dict(static, seq_ordering="laplace:.5")
dev = dict(static, seq_ordering="sorted")
extern_data = {"data": {"dim": 4}, "classes": {"dim": 4, "sparse": True}}
model = folder + "/net"
learning_rate_file = folder + "/learning_rates"
batch_size = 60
max_seqs = 4
# equal units have gradients that differ by rounding only: with a smaller epsilon these would become updates
optimizer = {"class": "nadam", "epsilon": 1e-4}
gradient_clip = 1.0
learning_rate = 0.01
learning_rate_control = "newbob_multi_epoch"
newbob_multi_num_epochs = 2
newbob_multi_update_interval = 1
newbob_learning_rate_decay = 0.7
num_epochs = 6
log_verbosity = 3


def get_network(epoch, **kwargs):
    layers, units = (1, 4) if epoch < 4 else (1, 6) if epoch == 4 else (2, 6)
    drawn = epoch < 4
    linear = {} if drawn else {"forward_weights_init": 0.05, "bias_init": 0.01}
    no_bias = {} if drawn else {"forward_weights_init": 0.05}
    rec = dict(linear, recurrent_weights_init=-0.04) if linear else {}
    cell = {} if drawn else {"weights_init": 0.03}
    net, source = {"#copy_param_mode": "subset"}, "data"
    for i in range(1, layers + 1):
        for direction, name in ((1, "fw"), (-1, "bw")):
            net[f"lstm{i}_{name}"] = dict(
                {"class": "rec", "unit": "nativelstm2", "n_out": units, "direction": direction, "from": source}, **rec
            )
        source = [f"lstm{i}_fw", f"lstm{i}_bw"]
    net["encoder"] = {"class": "copy", "from": source}
    net["enc_ctx"] = dict({"class": "linear", "activation": None, "from": "encoder", "n_out": units}, **linear)
    decoder = {
        "output": {"class": "choice", "target": "classes", "beam_size": 3, "from": "output_prob", "initial_output": 0},
        "embed": dict(
            {"class": "linear", "activation": None, "with_bias": False, "from": "output", "n_out": 3}, **no_bias
        ),
        "s": dict(
            {"class": "rnn_cell", "unit": "LSTMBlock", "from": ["prev:embed", "prev:att"], "n_out": units}, **cell
        ),
        "s_ctx": dict(
            {"class": "linear", "activation": None, "with_bias": False, "from": "s", "n_out": units}, **no_bias
        ),
        "energy_in": {"class": "combine", "kind": "add", "from": ["base:enc_ctx", "s_ctx"], "n_out": units},
        "energy_tanh": {"class": "activation", "activation": "tanh", "from": "energy_in"},
        "energy": dict(
            {"class": "linear", "activation": None, "with_bias": False, "from": "energy_tanh", "n_out": 1}, **no_bias
        ),
        "weights": {"class": "softmax_over_spatial", "from": "energy"},
        "att": {"class": "generic_attention", "weights": "weights", "base": "base:encoder"},
        "readout": dict(
            {"class": "linear", "activation": "relu", "from": ["s", "prev:embed", "att"], "n_out": units}, **linear
        ),
        "output_prob": dict({"class": "softmax", "from": "readout", "loss": "ce", "target": "classes"}, **linear),
    }
    net["output"] = {
        "class": "rec",
        "from": [],
        "unit": decoder,
        "target": "classes",
        "max_seq_len": "max_len_from('base:encoder')",
    }
    return net
