"""RETURNN and this project in turns on one training, for an environment that has RETURNN 1 and TensorFlow.

``python tests/runtime/two_way.py CASE PYTHON`` trains a case of ``data/two_way/`` (a config) in two ways: RETURNN,
restarted behind epochs 2 and 4, and RETURNN, then us (by the interpreter PYTHON, from this project's folder), then
RETURNN again, two epochs each. It tells how far the parameters are apart behind each epoch, and writes the checkpoints
and learning rates of RETURNN alone into ``data/two_way/CASE.npz``, with which ``test_two_way.py`` compares ours.
RETURNN's Nadam imports a module that TensorFlow 2.21 no longer has; it is put back.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["DATA", "EPOCHS"]

DATA = Path(__file__).parent / "data" / "two_way"
EPOCHS = (2, 4, 6)
_START = """
import sys
from tensorflow.python.ops import gen_training_ops
sys.modules["tensorflow.python.training.training_ops"] = gen_training_ops
from returnn.__main__ import main
main(["returnn", *sys.argv[1:]])
"""


def _train(command: list[str], case: str, folder: Path, last: int) -> None:
    environment = {**os.environ, "TWO_WAY_FOLDER": str(folder), "CUDA_VISIBLE_DEVICES": ""}
    config = str(DATA / f"{case}.config")
    done = subprocess.run(
        [*command, config, "++num_epochs", str(last)], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command[:2])} failed:\n{done.stdout}\n{done.stderr}")


def _values(folder: Path, epoch: int) -> dict[str, npt.NDArray[np.generic]]:
    import tensorflow as tf

    prefix = next(path for path in folder.glob(f"net*.{epoch:03d}.index") if "optimizer" not in path.name)
    reader = tf.train.load_checkpoint(str(prefix.with_suffix("")))
    return {name: reader.get_tensor(name) for name in sorted(reader.get_variable_to_shape_map())}


def main(case: str, python: str) -> None:
    """Train in both ways and record."""
    returnn, ours = [sys.executable, "-c", _START], [python, "-m", "runtime.cli"]
    with tempfile.TemporaryDirectory() as name:
        alone, turns = Path(name) / "alone", Path(name) / "turns"
        alone.mkdir()
        _train(returnn, case, alone, EPOCHS[0])
        shutil.copytree(alone, turns)
        for last, second in zip(EPOCHS[1:], (ours, returnn), strict=True):
            _train(returnn, case, alone, last)
            _train(second, case, turns, last)
        for epoch in range(EPOCHS[0] + 1, EPOCHS[-1] + 1):
            expected, found = _values(alone, epoch), _values(turns, epoch)
            assert expected.keys() == found.keys()
            apart = max(float(np.max(np.abs(expected[n].astype(float) - found[n]))) for n in expected)
            print(f"behind epoch {epoch}: {len(expected)} variables, at most {apart:.2e} apart")
        recorded = {f"{epoch}/{n}": value for epoch in EPOCHS for n, value in _values(alone, epoch).items()}
        files = [(folder / "learning_rates").read_text(encoding="utf-8") for folder in (alone, turns)]
        for lines in zip(*(text.splitlines() for text in files), strict=True):
            if lines[0] != lines[1]:
                print(*lines, sep="\n    in turns: ")
        arrays: dict[str, Any] = {**recorded, "learning_rates": np.array(files[0])}
        np.savez_compressed(DATA / f"{case}.npz", **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
