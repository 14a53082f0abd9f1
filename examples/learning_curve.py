"""Draw the scores and learning rates of a training: ``python examples/learning_curve.py RATES PICTURE``.

RATES is a ``learning_rate_file``, RETURNN's or ours; PICTURE ends with .svg, .png or .pdf.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import MaxNLocator

from runtime.learning_rate.file import load_history
from runtime.learning_rate.history import EpochData

#: What of the file is drawn: words in the keys, and the axis that they are on.
MEASURES = ("score", "error")


def main(argv: Sequence[str] | None = None) -> int:
    """Write the picture."""
    rates, picture = sys.argv[1:] if argv is None else argv
    history = load_history(Path(rates))
    draw(history, Path(picture), pretrain_epochs(Path(rates).parent))
    print(f"wrote {picture}: {len(history)} epochs")
    return 0


def pretrain_epochs(folder: Path) -> int:
    """The last epoch that has a checkpoint of pretraining beside the file, 0 without one."""
    found = (re.fullmatch(r".*\.pretrain\.(\d+)\.index", path.name) for path in folder.iterdir())
    return max((int(match[1]) for match in found if match), default=0)


def draw(history: Mapping[int, EpochData], picture: Path, pretrained: int) -> None:
    """Scores above, errors in the middle, learning rates below; the epochs of a pretraining are shaded."""
    measured = [m for m in MEASURES if any(_series(history, m))]
    figure, axes = plt.subplots(len(measured) + 1, 1, figsize=(8, 2.4 * (len(measured) + 1)), sharex=True)
    for axis, measure in zip(axes, measured, strict=False):
        for key, (epochs, values) in sorted(_series(history, measure).items()):
            axis.plot(epochs, values, marker="o", markersize=3, label=key)
        axis.set_ylabel(measure)
        axis.set_ylim(bottom=0)
        axis.legend(fontsize="small")
    epochs = sorted(history)
    axes[-1].step(epochs, [history[epoch].learning_rate for epoch in epochs], where="mid", color="black")
    axes[-1].set_ylabel("learning rate")
    axes[-1].set_ylim(bottom=0)
    axes[-1].set_xlabel("epoch")
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    for axis in axes:
        axis.grid(alpha=0.3)
        if pretrained:
            axis.axvspan(min(epochs) - 0.5, pretrained + 0.5, color="gray", alpha=0.15)
    if pretrained:
        axes[0].set_title("shaded: pretraining", fontsize="small", loc="left")
    figure.tight_layout()
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture)
    plt.close(figure)


def _series(history: Mapping[int, EpochData], measure: str) -> dict[str, tuple[list[int], list[Any]]]:
    """Epochs and values by key, of the keys with this word."""
    found: dict[str, tuple[list[int], list[Any]]] = {}
    for epoch, data in sorted(history.items()):
        for key, value in data.scores.items():
            if f"_{measure}" in key:
                epochs, values = found.setdefault(key, ([], []))
                epochs.append(epoch)
                values.append(value)
    return found


if __name__ == "__main__":
    sys.exit(main())
