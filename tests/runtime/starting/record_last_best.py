"""Records to which epoch RETURNN goes back, for an environment that has RETURNN 1 and TensorFlow.

``python tests/runtime/starting/record_last_best.py`` writes ``data/last_best.json``: random options and scores, and for
each epoch the one whose model is loaded when it begins, or null; -1 where RETURNN fails to say that the last epoch has
no score.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

__all__ = ["record"]

SETTINGS = 120


def record(setting: dict[str, Any]) -> list[int | None]:
    """By epoch, from the first to the one behind the last score."""
    from returnn.config import Config
    from returnn.learning_rate_control import LearningRateControl, load_learning_rate_control_from_config
    from returnn.tf.engine import Engine

    config = Config({"use_last_best_model": setting["options"] or True, "learning_rate": 1.0})
    control = load_learning_rate_control_from_config(config)
    for epoch, scores in enumerate(setting["scores"], 1):
        control.epoch_data[epoch] = LearningRateControl.EpochData(learning_rate=1.0, error=scores)
    engine: Any = Engine.__new__(Engine)
    engine.config, engine.learning_rate_control = config, control
    engine.updater = SimpleNamespace(init_optimizer_vars=lambda session: None)
    engine.tf_session, number = None, setting["pretrain_epochs"]
    engine.pretrain = SimpleNamespace(get_train_num_epochs=lambda: number) if number else None
    loaded: list[int] = []
    engine.load_model = lambda epoch: loaded.append(epoch)
    found: list[int | None] = []
    for epoch in range(1, len(setting["scores"]) + 2):
        engine.epoch = epoch
        loaded.clear()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                engine._maybe_use_better_last_model()
        except TypeError:
            loaded.append(-1)
        found.append(loaded[0] if loaded else None)
    return found


def _setting(draw: random.Random) -> dict[str, Any]:
    choices: dict[str, list[float]] = {
        "modulo": [1, 2, 3],
        "first_epoch": [1, 2, 4],
        "only_last_epochs": [1, 2, 3],
        "filter_score": [0.3, 0.6],
        "only_last_n": [-1, 1, 2],
        "min_score_dist": [0.05, 0.2, -0.1],
    }
    options = {key: draw.choice(values) for key, values in choices.items() if draw.random() < 0.35}
    scores: list[dict[str, float]] = []
    for _ in range(draw.randint(1, 9)):
        named = {"dev_score": round(draw.random(), 2), "train_score": round(draw.random(), 2)}
        scores.append({} if draw.random() < 0.1 else {key: v for key, v in named.items() if draw.random() < 0.9})
    return {"options": options, "scores": scores, "pretrain_epochs": draw.choice([0, 0, 0, 2])}


def main() -> None:
    """Write the file."""
    from returnn.log import log

    log.initialize(verbosity=[1])
    draw, lines = random.Random(5), []
    for _ in range(SETTINGS):
        setting = _setting(draw)
        lines.append(json.dumps({**setting, "found": record(setting)}))
    path = Path(__file__).parent / "data" / "last_best.json"
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
