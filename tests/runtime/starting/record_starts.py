"""Records where RETURNN begins, for an environment that has RETURNN 1 and TensorFlow.

``python tests/runtime/starting/record_starts.py`` writes ``data/starts.json``: random settings, each with the
checkpoints that there are, the options, and the epoch and checkpoint that RETURNN finds, or the error by which it ends.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["make_files", "record"]

DATA = Path(__file__).parent / "data"
SETTINGS = 400
#: Checkpoints that are not the model's; ``best`` is a link to ``other.007``.
OTHERS = ("elsewhere/other.007", "elsewhere/other")


def make_files(folder: Path, models: list[str]) -> None:
    """Empty files of checkpoints: those of the model ``net``, and others."""
    (folder / "elsewhere").mkdir(exist_ok=True)
    for prefix in (*models, *OTHERS):
        for ending in (".meta", ".index", ".data-00000-of-00001"):
            (folder / f"{prefix}{ending}").touch()
    for ending in (".meta", ".index", ".data-00000-of-00001"):
        (folder / f"elsewhere/best{ending}").symlink_to(f"other.007{ending}")


def record(folder: Path, options: dict[str, Any]) -> dict[str, Any]:
    """What RETURNN finds in a folder."""
    from returnn.config import Config
    from returnn.tf.engine import Engine
    from returnn.util.basic import BackendEngine

    BackendEngine.select_engine(engine=BackendEngine.TensorFlowNetDict)
    config = Config({"model": str(folder / "net"), **options})
    for key in ("load", "import_model_train_epoch1"):
        if key in options:
            config.set(key, str(folder / options[key]))
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            epoch, checkpoint = Engine.get_epoch_model(config)
            first = Engine.get_train_start_epoch(config) if config.value("task", "train") == "train" else None
    except Exception as error:
        return {"error": type(error).__name__}
    name = None if checkpoint is None else os.path.relpath(checkpoint, folder)
    return {"epoch": epoch, "checkpoint": name, "first_epoch": first}


def _setting(draw: random.Random) -> dict[str, Any]:
    newest = draw.choice([0, 0, 1, 3, 6, 8])
    models = []
    for epoch in range(1, newest + 1):
        kinds = draw.choice([[""], [""], [""], [".pretrain"], [".pretrain", ""], []])
        models += [f"net{kind}.{epoch:03d}" for kind in kinds]
    models += draw.choice([[], [f"net.{newest + 1:03d}.broken", f"net.{newest + 1:03d}.crash_12", "net.000"]])
    options: dict[str, Any] = {"task": draw.choice(["train"] * 4 + ["search", "forward"])}
    if draw.random() < 0.6:
        options["num_epochs"] = draw.choice([0, 2, 5, 10])
    if draw.random() < 0.35:
        options["load"] = draw.choice(
            ["elsewhere/other.007", "elsewhere/other.007.index", "elsewhere/best"] * 2 + [OTHERS[1]]
        )
    if draw.random() < 0.3:
        options["load_epoch"] = draw.choice([-1, 0, 1, 3, 7])
    if draw.random() < 0.3:
        options["import_model_train_epoch1"] = draw.choice(["elsewhere/other.007", "elsewhere/other.meta"])
    if draw.random() < 0.3:
        options["start_epoch"] = draw.choice(["auto", 1, 1, 2, 4])
    return {"models": models, "options": options}


def main() -> None:
    """Write the file."""
    draw, lines = random.Random(9), []
    for _ in range(SETTINGS):
        setting = _setting(draw)
        with tempfile.TemporaryDirectory() as folder:
            make_files(Path(folder), setting["models"])
            lines.append(json.dumps({**setting, "found": record(Path(folder), setting["options"])}))
    DATA.mkdir(exist_ok=True)
    (DATA / "starts.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
