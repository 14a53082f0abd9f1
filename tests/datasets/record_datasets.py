"""Records what RETURNN's datasets give, for an environment that has RETURNN 1, h5py and TensorFlow.

``PYTHONPATH=. python tests/datasets/record_datasets.py`` writes ``data/{plain,generated,meta,combined,joined}.json``;
the settings are random with a fixed seed. One that RETURNN refuses or fails on is left out. ``own_classes.json`` is
what RETURNN reads from the datasets of ``data/own_classes.config``.

Two things are mended in RETURNN before: ``TaskVariableAssignmentDataset`` gives NumPy's ``choice`` the keys of a dict,
which no Python 3 takes, so they are made a list; ``CombinedDataset`` with ``sampling_sizes`` divides by the number of
sequences before any epoch, which is 0 for HDF files, so it is not asked before an epoch.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import runpy
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.datasets.recorded import DATA, MAX_SEQS, summary, write_files

Config = dict[str, Any]

ORDERS = ["default", "reverse", "random", "random:2", "random_sample", "sorted", "sorted_reverse", "laplace:3"]
ORDERS += ["laplace:.4", "laplace", "sort_bin_shuffle:3", "sort_bin_shuffle_x2:.3", "default_every_n:3"]
UNSORTED = ["default", "reverse", "random", "random:2", "random_sample", "default_every_n:2"]
EPOCHS = (1, 2, 5)


def main() -> None:
    """Write the files."""
    from returnn.log import log

    log.initialize(verbosity=[0])
    _mend_variable_assignment()
    _mend_sampling()
    os.chdir(tempfile.mkdtemp())
    write_files(Path.cwd())
    groups: dict[str, Iterator[Config]] = {
        "plain": _random_configs(plain, 80),
        "generated": generated(),
        "meta": itertools.chain(_random_configs(meta, 110), _random_configs(nested, 40)),
        "combined": _random_configs(combined, 110),
        "joined": _random_configs(joined, 90),
    }
    for name, configs in groups.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        cases, failed = [], 0
        for config in configs:
            try:
                epochs = {str(epoch): record(config, epoch) for epoch in EPOCHS}
            except Exception as error:
                failed += 1
                print(f"{name}: {type(error).__name__}: {str(error)[:90]}: {str(config)[:300]}")
                continue
            cases.append({"config": repr(config), "epochs": epochs})
        lines = ",\n".join(json.dumps(case) for case in cases)
        (DATA / f"{name}.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
        print(f"{name}: {len(cases)} cases, {failed} left out")
    own = runpy.run_path(str(DATA / "own_classes.config"))
    names = [name for name, value in own.items() if isinstance(value, dict) and "class" in value]
    names += ["from_function", "make_object"]
    own_cases = {name: {str(epoch): record(own[name], epoch) for epoch in EPOCHS} for name in names}
    (DATA / "own_classes.json").write_text(json.dumps(own_cases, indent=1) + "\n", encoding="utf-8")


def record(config: Config | Callable[[], Any], epoch: int) -> dict[str, str]:
    """One epoch of a dataset that is made anew, or the first sequences of one that does not end."""
    from returnn.datasets.basic import init_dataset

    dataset = init_dataset(config)
    dataset.init_seq_order(epoch=epoch)
    keys = config.get("data_keys") if isinstance(config, dict) else None
    return summary(itertools.islice(_read(dataset, keys or dataset.get_data_keys()), MAX_SEQS))


def _read(dataset: Any, keys: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for index in itertools.count():
        if not dataset.is_less_than_num_seqs(index):
            return
        dataset.load_seqs(index, index + 1)
        yield dataset.get_tag(index), {key: dataset.get_data(index, key) for key in keys}


def _mend_variable_assignment() -> None:
    from returnn.datasets.generating import TaskVariableAssignmentDataset

    class ChoiceOfKeys(np.random.RandomState):
        def choice(self, a: Any, *args: Any, **options: Any) -> Any:
            return super().choice(list(a), *args, **options)

    original = TaskVariableAssignmentDataset.__init__

    def init(self: Any, **options: Any) -> None:
        original(self, **options)
        self.random = ChoiceOfKeys(1)

    TaskVariableAssignmentDataset.__init__ = init


def _mend_sampling() -> None:
    from returnn.datasets.meta import CombinedDataset

    original = CombinedDataset.init_seq_order

    def init_seq_order(self: Any, epoch: int | None = None, **options: Any) -> Any:
        return original(self, epoch=epoch, **options) if epoch is not None or not self.sampling_sizes else True

    CombinedDataset.init_seq_order = init_seq_order


# ---------------------------------------------------------------- settings


def generated() -> Iterator[Config]:
    """Each generating class in several settings."""
    for kind in [*_tasks(), *_dummies()]:
        yield {**kind, "num_seqs": 4}
        yield {**kind, "num_seqs": 5, "seq_ordering": "random", "fixed_random_seed": 3}
        yield {**kind, "num_seqs": 7, "partition_epoch": 2, "seq_ordering": "reverse", "random_seed_offset": 2}
    yield {"class": "Task12AXDataset", "num_seqs": float("inf")}
    yield {"class": "TaskXmlModelingDataset"}


def _tasks() -> list[Config]:
    convert: Config = {"class": "TaskNumberBaseConvertDataset"}
    copy: Config = {"class": "CopyTaskDataset", "minlen": 1}
    return [
        {"class": "Task12AXDataset"},
        {"class": "TaskEpisodicCopyDataset"},
        {"class": "TaskXmlModelingDataset"},
        {"class": "TaskXmlModelingDataset", "limit_stack_depth": 2},
        {"class": "TaskVariableAssignmentDataset"},
        convert,
        {**convert, "input_base": 10, "output_base": 16, "min_input_seq_len": 3, "max_input_seq_len": 12},
        {**copy, "nsymbols": 80, "maxlen_epoch_factor": 20},
        {**copy, "nsymbols": 3, "minlen": 5, "maxlen": 5},
        {**copy, "nsymbols": 128, "minlen_epoch_factor": 0.5, "maxlen": 2, "maxlen_epoch_factor": 1.5},
    ]


def _dummies() -> list[Config]:
    dummy: Config = {"class": "DummyDataset", "input_dim": 2, "output_dim": 4}
    lengths: Config = {"class": "DummyDatasetMultipleSequenceLength", "input_dim": 3, "output_dim": 5}
    keys: Config = {"class": "DummyDatasetMultipleDataKeys"}
    generic: Config = {"class": "DummyGenericDataset"}
    labels = {"dim": 5, "sparse": True}
    return [
        {**dummy, "input_dim": 3, "output_dim": 5, "seq_len": 4},
        {**dummy, "output_dim": {"classes": (3, 1)}, "input_max_value": 7.0},
        {**dummy, "input_shift": 0.5, "input_scale": 3.0},
        lengths,
        {**lengths, "input_dim": 2, "seq_len": {"data": 3, "classes": 2}},
        {**keys, "output_dim": {"data": (3, 2), "classes": (4, 1)}},
        {
            **keys,
            "output_dim": {"data": (3, 1), "other": (4, 2), "third": (2, 1)},
            "data_keys": ["data", "third", "other"],
            "seq_len": {"data": 3, "other": 2, "third": 1},
        },
        {**generic, "data_template": {"data": {"dim": 3}, "classes": {**labels, "available_for_inference": False}}},
        {
            **generic,
            "data_template": {"data": {"shape": (None, 2)}, "n": {"shape": (None, 4), "dtype": "int32"}},
            "seq_lens": (2, 4),
        },
        {
            **generic,
            "data_template": {"data": {"shape": (None, 2, 3)}, "classes": {**labels, "dtype": "int64"}},
            "seq_lens": {"data": 5, "classes": (1, 9)},
        },
    ]


def _random_configs(make: Callable[[random.Random], Config], count: int) -> Iterator[Config]:
    for seed in range(count):
        yield make(random.Random(f"{make.__name__} {seed}"))


def _order(rng: random.Random, orders: list[str] = ORDERS) -> Config:
    """Random options about order."""
    options: Config = {"seq_ordering": rng.choice(orders)}
    if rng.random() < 0.3:
        options["fixed_random_seed"] = rng.randint(1, 9)
    if rng.random() < 0.2:
        options["random_seed_offset"] = rng.randint(1, 9)
    if rng.random() < 0.3:
        options[rng.choice(["partition_epoch", "repeat_epoch"])] = rng.randint(1, 3)
    if rng.random() < 0.15:
        options["unique_seq_tags"] = True
    return options


def _hdf(rng: random.Random, name: str) -> Config:
    options = {"class": "HDFDataset", "files": [name], **_order(rng)}
    if name == "a.hdf" and rng.random() < 0.2:
        options["seq_list_filter_file"] = "kept.txt"
    if name == "a.hdf" and rng.random() < 0.2:
        options["seq_order_seq_lens_file"] = "lengths.txt"
    return options


def _task(rng: random.Random) -> Config:
    kind: Config = rng.choice(
        [{"class": "Task12AXDataset"}, {"class": "CopyTaskDataset", "nsymbols": 9, "minlen": 1, "maxlen": 7}]
    )
    return {**kind, "num_seqs": rng.randint(2, 8), **_order(rng, UNSORTED)}


def plain(rng: random.Random) -> Config:
    """HDF files, bytes, and data in memory."""
    if rng.random() < 0.25:
        corpus: Config = {"class": "Enwik8Corpus", "path": ".", "subset": rng.choice(["training", "validation"])}
        corpus |= {"seq_len": rng.randint(3, 12), **_order(rng)}
        corpus.pop("repeat_epoch", None)
        if rng.random() < 0.5:
            corpus["batch_num_seqs"] = rng.randint(1, 3)
        if rng.random() < 0.4:
            corpus["subsubset"] = rng.choice([39, (2, 38)])
        return corpus
    if rng.random() < 0.5:
        config = _hdf(rng, rng.choice(["a.hdf", "b.hdf"]))
        if config["files"] == ["a.hdf"] and rng.random() < 0.3:
            config["files"] = ["a.hdf", "c.hdf"]
            config.pop("seq_order_seq_lens_file", None)
        return config
    draws = np.random.RandomState(rng.randint(0, 1000))
    data = []
    for index in range(rng.randint(3, 9)):
        frames = int(draws.randint(1, 9))
        seq = {"data": draws.standard_normal((frames, 2)).round(3).astype(np.float32)}
        seq["classes"] = draws.randint(0, 4, frames).astype(np.int32)
        seq["words"] = np.array([f"word {index}"] * int(draws.randint(1, 3)))
        data.append(seq)
    config = {"class": "StaticDataset", "data": data, **_order(rng)}
    if rng.random() < 0.5:
        config["target_list"] = ["classes"]
        config["output_dim"] = {"classes": (4, 1)}
    return config


def meta(rng: random.Random) -> Config:
    """MetaDataset with and without a dataset that orders."""
    config: Config = {"class": "MetaDataset", "datasets": {"a": _hdf(rng, "a.hdf"), "b": _hdf(rng, "b.hdf")}}
    config["data_map"] = {"data": ("a", "data"), "classes": ("a", "classes"), "align": ("b", "data")}
    for name in ("a", "b"):
        if rng.random() < 0.15:
            config["datasets"][name] = _hdf(rng, "e.hdf")
    lists = rng.choice([None, None, "pickle", "mixed", "texts", "text"])
    if lists in ("pickle", "mixed", "texts"):
        config["datasets"]["d"] = _hdf(rng, "d.hdf")
        config["datasets"].pop("b")
        config["data_map"] = {"data": ("a", "data"), "second": ("d", "data"), "classes": ("d", "classes")}
        texts = {"a": "tags.txt", "d": "lines.txt"}
        config["seq_list_file"] = {"pickle": "tags.pkl", "mixed": "mixed.pkl", "texts": texts}[lists]
    elif lists == "text":
        config["seq_list_file"] = "tags.txt"
    if lists in (None, "pickle") and rng.random() < 0.5:
        config["seq_order_control_dataset"] = "a"
        config["datasets"]["a"].pop("unique_seq_tags", None)
    else:
        config.update(_order(rng))
        if rng.random() < 0.2:
            config["seq_lens_file"] = "lengths.json"
        elif rng.random() < 0.2:
            config["seq_order_seq_lens_file"] = "lengths.txt"
        if rng.random() < 0.2:
            config["seq_list_filter_file"] = "kept.txt"
    dense_b = config["datasets"].get("b", {}).get("files") == ["e.hdf"]
    if not dense_b and rng.random() < 0.2:
        config["data_dims"] = {key: (3, 2) if key in ("data", "second") else (20, 1) for key in config["data_map"]}
    return config


def nested(rng: random.Random) -> Config:
    """A MetaDataset in a MetaDataset, which orders or is ordered."""
    inner = meta(rng)
    key = rng.choice(sorted(inner["data_map"]))
    config: Config = {"class": "MetaDataset", "datasets": {"m": inner, "b": _hdf(rng, "b.hdf")}}
    config["data_map"] = {"data": ("m", "data"), "inner": ("m", key), "outer": ("b", "data")}
    return config | rng.choice([_order(rng), {"seq_order_control_dataset": "m"}])


def combined(rng: random.Random) -> Config:
    """CombinedDataset in every order."""
    datasets = {"x": _hdf(rng, "a.hdf"), "y": _hdf(rng, "c.hdf")}
    data_map = {("x", "data"): "data", ("x", "classes"): "classes", ("y", "data"): "data", ("y", "classes"): "other"}
    config: Config = {"class": "CombinedDataset", "datasets": datasets, "data_map": data_map}
    kind = rng.choice(["sorting", "sorting", "unsorted", "random_dataset", "interleave", "sampling"])
    if kind == "unsorted":
        datasets["z"] = _task(rng)
        data_map[("z", "classes")] = "classes"
    if kind == "random_dataset":
        config.update(_order(rng, ["random_dataset"]))
        config.pop("unique_seq_tags", None)
    elif kind == "interleave":
        config.update({"seq_ordering": "interleave"})
        scale = rng.choice([None, 0, 1.0, 0.3, "remaining"])
        if scale is not None:
            config["interleave_gumbel_scale"] = scale
        if rng.random() < 0.5:
            datasets["z"] = _task(rng)
            data_map[("z", "classes")] = "classes"
        if rng.random() < 0.3:
            config["fixed_random_seed"] = rng.randint(1, 5)
    else:
        config.update(_order(rng, UNSORTED if kind == "unsorted" else ORDERS))
        config.pop("unique_seq_tags", None)
    if kind == "sampling":
        for key in ("partition_epoch",):
            config.pop(key, None)
        config["sampling_sizes"] = rng.choice([4, {"x": 3, "y": 9}])
    return config


def joined(rng: random.Random) -> Config:
    """ConcatDataset and MultiEpochDataset, over each other and over the other two."""
    inner = rng.choice(["hdf", "hdf", "task", "meta", "combined", "concat"])
    first: Config
    if inner == "hdf":
        first = _hdf(rng, "a.hdf")
    elif inner == "task":
        first = _task(rng)
    elif inner == "concat":
        first = {"class": "ConcatDataset", "datasets": [_hdf(rng, "c.hdf"), _hdf(rng, "a.hdf")]}
    else:
        first = {"meta": meta, "combined": combined}[inner](rng)
    if rng.random() < 0.5:
        return {"class": "MultiEpochDataset", "dataset": first, "multi_epoch": rng.randint(1, 4)}
    if inner == "task":
        second = {**first, "num_seqs": 3, **_order(rng, UNSORTED)}
        return {"class": "ConcatDataset", "datasets": [first, second]}
    if inner in ("meta", "combined"):
        return {"class": "ConcatDataset", "datasets": [first, first]}
    config: Config = {"class": "ConcatDataset", "datasets": [first, _hdf(rng, "c.hdf"), _hdf(rng, "a.hdf")]}
    if rng.random() < 0.3:
        config["random_seed_offset"] = rng.randint(1, 5)
    return config


if __name__ == "__main__":
    main()
