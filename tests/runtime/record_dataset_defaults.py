"""Records which options of a config RETURNN's datasets take over, for an environment that has RETURNN 1.

``python tests/runtime/record_dataset_defaults.py`` writes ``data/dataset_defaults.json``: for each config, what a
dataset has that is given as a dict, a function or a text under ``train`` or ``dev``; null where RETURNN stops.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["CONFIGS", "DATA", "FORMS"]

DATA = Path(__file__).parent / "data" / "dataset_defaults.json"
_TASK = {"class": "Task12AXDataset", "num_seqs": 3}
_TEXT = "Task12AXDataset:num_seqs=3"
#: How a dataset is given.
FORMS: dict[str, Any] = {
    "dict": _TASK,
    "own": {
        **_TASK,
        "chunking": "9:3",
        "context_window": 1,
        "window": 1,
        "min_chunk_size": 1,
        "chunking_variance": 0.1,
    },
    "none": {**_TASK, "chunking": None},
    "function": lambda: dict(_TASK),
    "text": _TEXT,
}
#: What the config says.
CONFIGS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "chunking": {"chunking": "8:4"},
    "all": {
        "chunking": "8:4",
        "chunking_variance": 0.5,
        "min_chunk_size": 2,
        "context_window": {"data": 5, "classes": 2},
        "window": 3,
        "batching": "random",
    },
    "chunk_eval": {"chunking": "8:4", "chunk_eval": True},
    "on_size_limit": {"chunking": "8:4", "chunk_eval": True, "on_size_limit": "chunk", "batch_size": 50},
    "no batch_size": {"on_size_limit": "chunk"},
    "single frames": {"chunking": "1"},
    "single frame": {"chunking": 1, "chunk_eval": True},
    "min_chunk_size by key": {"chunking": 6, "min_chunk_size": {"data": 2, "classes": 3}},
}


def main() -> None:
    """Write the file."""
    from returnn import __main__ as returnn_main
    from returnn.config import Config, set_global_config
    from returnn.datasets import Dataset

    found: dict[str, Any] = {}
    for name, options in CONFIGS.items():
        for form, data in FORMS.items():
            for key in ("train", "dev"):
                config = Config({**options, key: data})
                set_global_config(config)
                kwargs = Dataset.get_default_kwargs_eval(config) if key == "dev" else {}
                try:
                    dataset, _ = returnn_main.load_data(config, 0, key, **kwargs)
                    found[f"{name}, {form}, {key}"] = _plain(dataset)
                except Exception as error:
                    print(name, form, key, type(error).__name__, error)
                    found[f"{name}, {form}, {key}"] = None
    DATA.write_text(json.dumps(found, indent=0) + "\n", encoding="utf-8")


def _plain(dataset: Any) -> dict[str, Any]:
    keys = ("data", "classes")
    return {
        "chunks": [[dataset.chunk_size.get(key), dataset.chunk_step.get(key)] for key in keys],
        "variance": dataset.chunking_variance,
        "min_chunk_size": [dataset.min_chunk_size.get(key) for key in keys],
        "context": [[dataset.ctx_left.get(key, 0), dataset.ctx_right.get(key, 0)] for key in keys],
        "window": dataset.window,
        "seq_ordering": dataset.seq_ordering,
    }


if __name__ == "__main__":
    main()
