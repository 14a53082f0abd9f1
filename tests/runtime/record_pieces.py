"""Records the scores of RETURNN's trainings with pieces of sequences, for an environment that has RETURNN 1.

``python tests/runtime/record_pieces.py`` trains each config of :data:`CONFIGS` for a few epochs with RETURNN and writes
the scores of its learning-rate file into ``data/pieces.json``. Parameters begin with constants.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from runtime.learning_rate.file import load_history

__all__ = ["CONFIGS", "config_text", "scores"]

DATA = Path(__file__).parent / "data" / "pieces.json"
_START = """
import numpy

task = "train"
device = "cpu"
use_tensorflow = True


def _seq(index, number):
    random = numpy.random.RandomState(index)
    data = random.normal(size=(number, 3)).astype("float32")
    return {"data": data, "classes": (data.sum(axis=1) * 2).astype("int32") % 4}


_lengths = [23, 7, 14, 30, 9, 1, 18, 12]
_dims = {"data": (3, 2), "classes": (4, 1)}
train = {"class": "StaticDataset", "output_dim": _dims, "data": [_seq(i, n) for i, n in enumerate(_lengths)]}
dev = {"class": "StaticDataset", "output_dim": _dims, "data": [_seq(i, n) for i, n in ((20, 13), (21, 5), (22, 21))]}
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
num_epochs = 3
learning_rate = 0.1
batch_size = 40
max_seqs = 3
"""
_CONV = """
network = {
    "conv": {"class": "conv", "from": "data", "filter_size": (3,), "padding": "valid", "n_out": 4, "activation": "tanh",
             "forward_weights_init": 0.1},
    "output": {"class": "softmax", "from": "conv", "loss": "ce", "forward_weights_init": 0.2},
}
"""
_LSTM = """
network = {
    "lstm": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data", "forward_weights_init": 0.1,
             "recurrent_weights_init": 0.1},
    "output": {"class": "softmax", "from": "lstm", "loss": "ce", "forward_weights_init": 0.2},
}
"""
_LINEAR = """
network = {"output": {"class": "softmax", "from": "data", "loss": "ce", "forward_weights_init": 0.1}}
"""
_FUNCTION = """
from returnn.util import NumbersDict

context_window = {"data": 3}
batching = "random"


def chunking(dataset, seq_idx_start, recurrent_net, used_data_keys, **_other):
    index = seq_idx_start
    while dataset.is_less_than_num_seqs(index):
        length = dataset.get_seq_length(index)
        size = 4 + int(dataset.get_data(index, "classes").sum()) % 5
        start = NumbersDict.constant_like(0, numbers_dict=length)
        while start["data"] < length["data"]:
            end = NumbersDict.min([start + size, length])
            yield index, start.copy(), end
            start = start + size - int(dataset.rnd_seq_drop.random() * 3)
        index += 1
"""
_TASK = """
train = {"class": "Task12AXDataset", "num_seqs": 9}
dev = {"class": "Task12AXDataset", "num_seqs": 4, "fixed_random_seed": 1}
extern_data = {"data": {"dim": 27}, "classes": {"dim": 2, "sparse": True}}
window = 3
batch_size = 100
"""
#: What is trained, by name.
CONFIGS = {
    "context": _START + _CONV + "\nchunking = '10:5'\ncontext_window = 3\nmin_chunk_size = 2\n",
    "random": _START + _LSTM + "\nbatching = 'random'\nchunking = (8, 4)\nchunking_variance = 0.5\nseq_drop = 0.3\n",
    "chunked evaluation": _START + _LSTM + "\nchunking = '6:6'\nchunk_eval = True\nmax_pad_size = 3\n",
    "on_size_limit": _START + _LSTM + "\nbatch_size = 9\nmax_seq_length = 20\non_size_limit = 'chunk'\n",
    "function": _START + _CONV + _FUNCTION,
    "frames": _START + _LINEAR + "\nchunking = '6:6'\nmin_seq_length = 9\n",
    "window": _START + _LINEAR + _TASK,
}


def config_text(name: str, folder: Path) -> str:
    """A config whose files are in a folder."""
    model, rates = str(folder / "net"), str(folder / "rates")
    return f"{CONFIGS[name]}\nmodel = {model!r}\nlearning_rate_file = {rates!r}\n"


def scores(folder: Path) -> list[dict[str, float]]:
    """The scores of each epoch."""
    history = load_history(folder / "rates")
    return [{key: float(value) for key, value in sorted(data.scores.items())} for _, data in sorted(history.items())]


def main() -> None:
    """Write the file."""
    found = {}
    for name in CONFIGS:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            (folder / "net.py").write_text(config_text(name, folder), encoding="utf-8")
            subprocess.run([sys.executable, "-m", "returnn", str(folder / "net.py")], check=True)
            found[name] = scores(folder)
    DATA.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
