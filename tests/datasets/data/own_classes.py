"""A config with datasets of its own classes, in RETURNN's protocol; RETURNN runs it as well as we do."""

import numpy
from returnn.datasets.basic import Dataset, DatasetSeq
from returnn.datasets.cached2 import CachedDataset2
from returnn.datasets.generating import GeneratingDataset

backend = "tensorflow-net-dict"


class Collected(CachedDataset2):
    """Orders by the options, makes one sequence after the other."""

    def __init__(self, size, with_lengths=True, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.with_lengths = with_lengths
        self.num_inputs = 3
        self.num_outputs = {"data": (3, 2), "classes": (4, 1), "n": (1, 0)}
        self.labels = {"classes": list("abcd")}
        self.order = None

    def init_seq_order(self, epoch=None, seq_list=None, seq_order=None):
        super().init_seq_order(epoch=epoch, seq_list=seq_list, seq_order=seq_order)
        lengths = self._length if self.with_lengths else None
        self.order = self.get_seq_order_for_epoch(epoch, self.size, lengths)
        self._num_seqs = len(self.order)
        return True

    def get_data_keys(self):
        return ["data", "classes", "n"]

    def get_all_tags(self):
        return [f"own/{index % (self.size - 1)}" for index in range(self.size)]

    def get_total_num_seqs(self, *, fast=False):
        return self.size

    def _length(self, index):
        return index * 7 % 5 + 1

    def _collect_single_seq(self, seq_idx):
        if seq_idx >= len(self.order):
            return None
        index = int(self.order[seq_idx])
        frames = self._length(index)
        features = {
            "data": numpy.full((frames, 3), index, "float32"),
            "classes": (numpy.arange(frames) % 4).astype("int32"),
            "n": numpy.array(index, "int32"),
        }
        return DatasetSeq(seq_idx=seq_idx, seq_tag=self.get_all_tags()[index], features=features)


class Streamed(CachedDataset2):
    """Does not know how many sequences there are."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.num_outputs = {"data": (2, 1)}

    def _collect_single_seq(self, seq_idx):
        if seq_idx >= 3 + self.epoch:
            return None
        return DatasetSeq(seq_idx=seq_idx, features=numpy.array([self.epoch % 2, seq_idx % 2]))


class Generated(GeneratingDataset):
    """Draws from the generator that is seeded for each sequence."""

    def __init__(self, **kwargs):
        super().__init__(input_dim=2, output_dim=5, **kwargs)

    def generate_seq(self, seq_idx):
        frames = self.random.randint(1, 6)
        data = self.random.uniform(size=(frames, 2)).astype("float32")
        return DatasetSeq(seq_idx=seq_idx, features=data, targets=self.random.randint(0, 5, (frames,)).astype("int32"))


class Plain(Dataset):
    """The bare protocol."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.num_inputs = 2
        self.num_outputs = {"data": (2, 2), "classes": (3, 1)}

    def init_seq_order(self, epoch=None, seq_list=None, seq_order=None):
        super().init_seq_order(epoch=epoch, seq_list=seq_list, seq_order=seq_order)
        self._num_seqs = 4
        return True

    @property
    def num_seqs(self):
        return self._num_seqs

    def _load_seqs(self, start, end):
        self.loaded = range(start, end)

    def get_input_data(self, sorted_seq_idx):
        assert sorted_seq_idx in self.loaded
        return numpy.full((sorted_seq_idx + 1, 2), self.epoch, "float32")

    def get_targets(self, target, sorted_seq_idx):
        return numpy.arange(sorted_seq_idx + 1) % 3

    def get_seq_length(self, seq_idx):
        return {"data": seq_idx + 1, "classes": seq_idx + 1}


collected = {"class": Collected, "size": 9, "seq_ordering": "laplace:3", "partition_epoch": 2}
repeated = {"class": Collected, "size": 5, "seq_ordering": "random", "repeat_epoch": 2, "random_seed_offset": 3}
unique = {"class": Collected, "size": 6, "seq_ordering": "sorted_reverse", "unique_seq_tags": True}
streamed = {"class": Streamed}
generated = {"class": Generated, "num_seqs": 6, "seq_ordering": "random"}
fixed = {"class": Generated, "num_seqs": 5, "fixed_random_seed": 4, "partition_epoch": 2}
plain = {"class": Plain}


def from_function():
    return {"class": Generated, "num_seqs": 3}


def make_object():
    return Plain(name="made")
