"""What a training leaves behind that ends within an epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.checkpoint.reader import read_checkpoint
from returnn_ir.errors import DataError
from runtime.checkpoints.files import GLOBAL_STEP, existing_checkpoints
from runtime.datasets import Batch
from runtime.tasks.training.remains import Remains

VARIABLES = {"h/W": np.ones((2, 2), np.float32), GLOBAL_STEP: np.int64(7)}
BATCH: Any = object()


def take(batch: Batch, results: object) -> str:
    return "line"


def test_an_error_names_the_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prefix = str(tmp_path / "net.003")
    with pytest.raises(DataError, match="no more"), Remains(prefix, lambda: VARIABLES) as remains:
        counted = remains.counting(take)
        assert [counted(BATCH, {}) for _ in range(2)] == ["line", "line"]
        raise DataError("no more")
    assert capsys.readouterr().out == f"saved what is left as {prefix}.crash_2\n"
    assert read_checkpoint(f"{prefix}.crash_2")["h/W"].tolist() == [[1, 1], [1, 1]]
    assert not existing_checkpoints(str(tmp_path / "net"))


def test_nothing_is_saved_of_what_is_no_error(tmp_path: Path) -> None:
    with Remains(str(tmp_path / "net.003"), lambda: VARIABLES):
        pass
    with pytest.raises(KeyboardInterrupt), Remains(str(tmp_path / "net.003"), lambda: VARIABLES):
        raise KeyboardInterrupt
    with pytest.raises(DataError), Remains(None, lambda: VARIABLES):
        raise DataError("a dry run")
    assert not list(tmp_path.iterdir())


def test_saving_hides_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    prefix = str(tmp_path / "file" / "net.003")
    with pytest.raises(DataError, match="the reason"), Remains(prefix, lambda: VARIABLES):
        raise DataError("the reason")
    assert capsys.readouterr().out.startswith(f"what is left could not be saved as {prefix}.crash_0: ")


def test_scores_that_are_not_finite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prefix = str(tmp_path / "net.003")
    remains = Remains(prefix, lambda: VARIABLES)
    remains.check("train epoch 3", {"output": 0.5})
    with pytest.raises(DataError) as caught:
        remains.check("train epoch 3", {"output": 0.5, "ctc": float("nan")})
    assert str(caught.value) == (
        "train epoch 3: the epoch has scores that are not finite\n"
        "  received: ctc nan\n"
        "  try: a lower learning rate or gradient_clip; checkpoints of earlier epochs are kept"
    )
    assert capsys.readouterr().out == f"saved what is left as {prefix}.broken\n"
    assert (tmp_path / "net.003.broken.index").exists()
