# A BLSTM that grows in epochs 4 and 5, on pieces of sequences, with #config; nothing is drawn behind epoch 1.
import os

import numpy as np

folder = os.environ["TWO_WAY_FOLDER"]
rng = np.random.RandomState(3)


def sequence(length):
    frames = rng.normal(size=(length, 4)).astype("float32")
    return {"data": frames, "classes": np.argmax(np.cumsum(frames[:, :3], axis=0), axis=1).astype("int32")}


data = [sequence(int(length)) for length in rng.randint(3, 25, 20)]
static = {"class": "StaticDataset", "data": data, "output_dim": {"data": (4, 2), "classes": (3, 1)}}
task = "train"
use_tensorflow = True
device = "cpu"
train = dict(static, seq_ordering="laplace:.5")
dev = dict(static, seq_ordering="sorted")
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
model = folder + "/net"
learning_rate_file = folder + "/learning_rates"
batch_size = 60
max_seqs = 4
chunking = "8:4"
optimizer = {"class": "nadam", "epsilon": 1e-8}
learning_rate = 0.01
learning_rate_control = "newbob_multi_epoch"
newbob_multi_num_epochs = 2
newbob_multi_update_interval = 1
newbob_learning_rate_decay = 0.7
use_learning_rate_control_always = True
num_epochs = 6
log_verbosity = 3


def blstm(layers, units, forward=None, recurrent=None, bias=None):
    inits = {"forward_weights_init": forward, "recurrent_weights_init": recurrent, "bias_init": bias}
    inits = {key: value for key, value in inits.items() if value is not None}
    net, source = {}, "data"
    for i in range(1, layers + 1):
        for direction, name in ((1, "fw"), (-1, "bw")):
            net[f"lstm{i}_{name}"] = dict(
                {"class": "rec", "unit": "nativelstm2", "n_out": units, "direction": direction, "from": source}, **inits
            )
        source = [f"lstm{i}_fw", f"lstm{i}_bw"]
    net["output"] = {"class": "softmax", "from": source, "loss": "ce", "target": "classes", "L2": 1e-4}
    if inits:
        net["output"].update(forward_weights_init=forward, bias_init=bias)
    return net


network = blstm(3, 6, 0.05, -0.04, 0.02)


def construction_algo(idx, net_dict):
    if idx == 0:
        return dict(blstm(1, 4), **{"#config": {"max_seqs": 3, "learning_rate": 0.02}})
    if idx == 1:
        return dict(blstm(2, 5, 0.05, -0.04, 0.02), **{"#config": {"chunking": "6:6", "learning_rate": 0.015}})
    return None


pretrain = {"construction_algo": construction_algo, "copy_param_mode": "subset", "repetitions": [3, 1, 1]}
