"""The blocks that RETURNN sees in parameters: ``python -m tests.recording.splits``, in an environment that has RETURNN.

Writes ``tests/runtime/data/copy/splits.json``: by golden case and variable, the sizes of the blocks of each axis. There
are only variables with more than one block, and cases with such a variable; under ``""`` the cases that were not built.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from tests.recording.dilation import keep_static_shapes
from tests.recording.network import construct, load_case, require_returnn

__all__ = ["FILE", "GOLDEN", "main", "splits_of"]

TESTS = Path(__file__).parents[1]
GOLDEN = TESTS / "golden"
FILE = TESTS / "runtime" / "data" / "copy" / "splits.json"


def splits_of(variables: list[Any]) -> dict[str, Any]:
    """The blocks of variables, where RETURNN says that an axis has several."""
    found = {}
    for variable in sorted(variables, key=lambda v: str(v.name)):
        splits = getattr(variable, "returnn_axes_split_info", None)
        if splits is not None and any(len(sizes) > 1 for sizes in splits):
            found[str(variable.name).removesuffix(":0")] = splits
    return found


def _case(path: Path) -> dict[str, Any]:
    import tensorflow as tf

    with tf.Graph().as_default(), tf.compat.v1.Session(), keep_static_shapes(tf.compat.v1.nn):
        config, case = load_case(path)
        return splits_of(construct(config, case).get_params_list())


def main() -> None:
    """Ask RETURNN for all golden cases."""
    os.environ.update({"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"})
    require_returnn()
    import tensorflow as tf

    tf.compat.v1.disable_eager_execution()
    found: dict[str, Any] = {"": []}
    for path in sorted(GOLDEN.glob("*/*.py")):
        name = f"{path.parent.name}/{path.stem}"
        try:
            with redirect_stdout(sys.stderr):  # RETURNN tells about every layer
                splits = _case(path)
        except Exception as error:  # whatever RETURNN raises
            print(f"{name}: {type(error).__name__}: {error}")
            found[""].append(name)
            continue
        if splits:
            found[name] = splits
    lines = [f"{json.dumps(name)}: {json.dumps(splits)}" for name, splits in found.items()]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
