"""Records the batches that RETURNN makes for random settings, for an environment that has RETURNN 1.

``python tests/datasets/record_batches.py`` writes ``data/batches.json.gz``. A setting has the options of a dataset (as
Python texts), those of its batches, the lengths of its sequences, the keys that a network uses and whether it is
recurrent; for every epoch there are the batches, each a list of pieces: corpus index, row, frame in the row, and start
and end by key. ``null`` stands for an epoch in which RETURNN stopped with an error. (Only HDFDataset can divide by a
step of 0, because its lengths are NumPy's; such settings are recorded with it.)

The loop over the epochs is that of RETURNN's engine: batches of a dataset that caches them are made anew when the order
changes, and in every epoch that is a multiple of ``seq_drop_freq`` if pieces are left out at random.
"""

from __future__ import annotations

import gzip
import json
import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["KEYS", "record"]

DATA = Path(__file__).parent / "data" / "batches.json.gz"
KEYS = ("data", "classes", "extra")
NUM_SETTINGS = 900
EPOCHS = 4

Setting = dict[str, Any]


def random_setting(number: int) -> Setting:
    """A setting by its number."""
    rnd = random.Random(number)
    chunking = _chunking(rnd)
    recurrent = rnd.random() < 0.85
    options = {
        "seq_ordering": rnd.choice(["default", "sorted", "reverse", "random", "random:2", "laplace:2"]),
        **({"partition_epoch": 2} if rnd.random() < 0.1 else {}),
        **({"fixed_random_seed": 3} if rnd.random() < 0.2 else {}),
        **({"chunking": chunking} if chunking is not None else {}),
        **({"chunking_variance": rnd.choice([0.3, 0.5, 0.9, 1.0])} if rnd.random() < 0.4 else {}),
        **({"min_chunk_size": _min_chunk_size(rnd)} if rnd.random() < 0.4 else {}),
        **({"context_window": _context(rnd)} if rnd.random() < 0.4 else {}),
    }
    used = sorted(rnd.choice([KEYS[:1], KEYS[:2], KEYS[:2], KEYS, KEYS[1:]]))
    sizes = [1, 10, 20, 30, 60, {"data": 30, "classes": 20, "extra": 50}]
    sizes += [60.5, {"classes": 40}] if recurrent else [dict.fromkeys(used, 40)]
    return {
        "dataset": rnd.choice(["static", "hdf"]),
        "lengths": _lengths(rnd, chunking),
        "options": repr(options),
        "batches": repr(_batches(rnd, sizes)),
        "used": used,
        "recurrent": recurrent,
        "epochs": [],
    }


def _chunking(rnd: random.Random) -> Any:
    size = rnd.randint(2, 8)
    step = rnd.randint(1, size + 1)
    sizes = {key: rnd.choice([size, 2 * size, size + 1]) for key in KEYS}
    steps = {key: rnd.choice([step, step, max(step - 1, 0), 0, 2 * step]) for key in KEYS}
    halves = {"data": 2 * size, "classes": size, "extra": size}, {"data": 2 * step, "classes": step, "extra": step}
    forms: list[Any] = [
        None,
        0,
        "0",
        size,
        f"{size}",
        f"{size}:{step}",
        f"{size}:{step}",
        (size, step),
        (size, None),
        "1",
    ]
    forms += [halves, halves, f"{size}:0", (dict.fromkeys(KEYS, size), dict.fromkeys(KEYS, step)), (sizes, steps)]
    forms += [(dict.fromkeys(KEYS, size), {**dict.fromkeys(KEYS, step), "extra": 0}), ({"data": size}, {"data": step})]
    forms += [sizes]
    return rnd.choice(forms)


def _min_chunk_size(rnd: random.Random) -> Any:
    return rnd.choice([0, 1, 2, 4, {key: rnd.randint(0, 3) for key in KEYS}, {"data": 2, "classes": 1, "extra": 1}])


def _context(rnd: random.Random) -> Any:
    some = {key: rnd.randint(0, 5) for key in rnd.sample(KEYS, 2)}
    other = {key: rnd.randint(0, 3) for key in rnd.sample(KEYS, 2)}
    return rnd.choice([0, 1, 2, 3, 4, some, other, (some, other), {"data": 3, "classes": 3, "extra": 1}])


def _lengths(rnd: random.Random, chunking: Any) -> dict[str, list[int]]:
    count = rnd.randint(2, 9)
    data = [rnd.choice([0, 1, 2, *range(3, 25), *range(3, 25)]) for _ in range(count)]
    halved = isinstance(chunking, tuple) and isinstance(chunking[0], dict) and chunking[0]["data"] % 2 == 0
    classes = [n if rnd.random() < 0.02 else n // 2 for n in data] if halved else list(data)
    if rnd.random() < 0.05:
        classes[-1] += 1
    like = rnd.choice([data, classes, [1] * count, [rnd.randint(0, 1) for _ in data]])
    return {"data": data, "classes": classes, "extra": list(like)}


def _batches(rnd: random.Random, sizes: list[Any]) -> dict[str, Any]:
    longest = rnd.choice([5, 9, 20, {"data": 9}, {"classes": 7, "data": 12}, -8, 0])
    return {
        "batch_size": rnd.choice(sizes),
        **({"max_seqs": rnd.choice([1, 2, 3, 5, -1])} if rnd.random() < 0.6 else {}),
        **({"max_seq_length": longest} if rnd.random() < 0.3 else {}),
        **({"min_seq_length": rnd.choice([2, 3, {"data": 4}, 0])} if rnd.random() < 0.3 else {}),
        **({"max_pad_size": rnd.choice([0, 3, 10, {"data": 4}])} if rnd.random() < 0.3 else {}),
        **({"seq_drop": rnd.choice([0.2, 0.5])} if rnd.random() < 0.4 else {}),
        **({"seq_drop_freq": rnd.choice([1, 2, 3])} if rnd.random() < 0.5 else {}),
        **({"shuffle_batches": True} if rnd.random() < 0.3 else {}),
    }


def record(setting: Setting) -> Setting:
    """The setting with what RETURNN makes of it."""
    options, limits = eval(setting["options"]), eval(setting["batches"])
    frequency = limits.pop("seq_drop_freq", 10)
    kept = None
    with tempfile.TemporaryDirectory() as folder:
        epochs: list[Any] = []
        try:
            dataset = _dataset(setting, options, Path(folder))
            for epoch in range(1, EPOCHS + 1):
                if epoch % frequency == 0 and limits.get("seq_drop"):
                    kept = None
                if dataset.init_seq_order(epoch=epoch) or not dataset.batch_set_generator_cache_whole_epoch():
                    kept = None
                if kept is None:
                    kept = dataset.generate_batches(
                        recurrent_net=setting["recurrent"], used_data_keys=set(setting["used"]), **limits
                    )
                else:
                    kept.reset()
                epochs.append(_epoch(dataset, kept))
        except ZeroDivisionError:
            return record({**setting, "dataset": "hdf"})
        except Exception:
            epochs.append(None)
    return {**setting, "epochs": epochs}


def _dataset(setting: Setting, options: dict[str, Any], folder: Path) -> Any:
    from returnn.datasets import init_dataset

    lengths = setting["lengths"]
    seqs = [dict(zip(KEYS, sizes, strict=True)) for sizes in zip(*(lengths[key] for key in KEYS), strict=True)]
    if setting["dataset"] == "static":
        data = [
            {key: np.zeros((n, 2), "float32") if key == "data" else np.zeros(n, "int32") for key, n in seq.items()}
            for seq in seqs
        ]
        dims = {"data": (2, 2), "classes": (3, 1), "extra": (3, 1)}
        return init_dataset({"class": "StaticDataset", "data": data, "output_dim": dims, **options})
    _write_hdf(folder / "data.hdf", seqs)
    return init_dataset({"class": "HDFDataset", "files": [str(folder / "data.hdf")], **options})


def _write_hdf(path: Path, seqs: list[dict[str, int]]) -> None:
    from returnn.datasets.hdf import SimpleHDFWriter

    extra_type = dict.fromkeys(KEYS[1:], (3, 1, "int32"))
    writer = SimpleHDFWriter(str(path), dim=2, ndim=2, extra_type=extra_type)
    for number, seq in enumerate(seqs):
        writer.insert_batch(
            np.zeros((1, seq["data"], 2), "float32"),
            seq_len=[seq["data"]],
            seq_tag=[f"seq-{number}"],
            extra={key: np.zeros((1, seq[key]), "int32") for key in KEYS[1:]},
        )
    writer.close()


def _epoch(dataset: Any, batches: Any) -> list[Any]:
    found = []
    while batches.has_more():
        (batch,) = batches.peek_next_n(1)
        batches.advance(1)
        found.append(
            [
                [
                    int(dataset.get_corpus_seq_idx(part.seq_idx)),
                    part.batch_slice,
                    int(part.batch_frame_offset.max_value()),
                    {
                        key: [int(part.seq_start_frame.get(key, 0)), int(end)]
                        for key, end in part.seq_end_frame.items()
                        if end is not None
                    },
                ]
                for part in batch.seqs
            ]
        )
    return found


def main() -> None:
    """Write the file."""
    settings = [record(random_setting(number)) for number in range(NUM_SETTINGS)]
    DATA.parent.mkdir(exist_ok=True)
    with DATA.open("wb") as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
        packed.write(json.dumps(settings, separators=(",", ":")).encode())
    print(len(settings), "settings,", sum(None in setting["epochs"] for setting in settings), "with an error")


if __name__ == "__main__":
    main()
