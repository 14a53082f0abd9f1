"""Records what RETURNN loads, for an environment that has RETURNN 1 and TensorFlow.

``python -m tests.runtime.starting.record_loading`` writes the checkpoints of ``cases.py``, and into
``data/loaded.json`` for each case the epoch, the first epoch of a training, and all variables after loading; for the
cases with errors their type.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.runtime.starting.cases import CASES, CHECKPOINTS, ERRORS, OWN, checkpoint_values

__all__ = ["record", "write_checkpoints"]

DATA = Path(__file__).parent / "data"
ENDINGS = (".index", ".data-00000-of-00001")


def write_checkpoints(folder: Path) -> None:
    """The files of all checkpoints."""
    import tensorflow as tf

    folder.mkdir(parents=True, exist_ok=True)
    for name in CHECKPOINTS:
        values = checkpoint_values(name)
        tf.raw_ops.SaveV2(
            prefix=str(folder / name),
            tensor_names=sorted(values),
            shape_and_slices=[""] * len(values),
            tensors=[tf.constant(values[variable]) for variable in sorted(values)],
        )


def record(name: str, text: str) -> dict[str, Any]:
    """Run RETURNN's engine up to the loaded network."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(DATA / "checkpoints", folder, dirs_exist_ok=True)
        for own, other in OWN.get(name, {}).items():
            for ending in ENDINGS:
                shutil.copy(f"{folder}/{other}{ending}", f"{folder}/{own}{ending}")
        for index in Path(folder).glob("*.index"):
            index.with_suffix(".meta").touch()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                return _load(f"FOLDER = {folder!r}\n{text}")
        except (Exception, SystemExit) as error:
            return {"error": type(error).__name__}


def _load(text: str) -> dict[str, Any]:
    import tensorflow as tf
    from returnn.config import Config, set_global_config
    from returnn.log import log
    from returnn.tf.engine import Engine
    from returnn.util.basic import BackendEngine

    given: dict[str, Any] = {}
    exec(text, given)
    config = Config({key: value for key, value in given.items() if not key.startswith("__")})
    set_global_config(config)
    log.initialize(verbosity=[1])
    BackendEngine.select_engine(engine=BackendEngine.TensorFlowNetDict)
    engine = Engine(config=config)
    try:
        if config.value("task", "train") == "train":
            engine.init_train_from_config(config)
        else:
            engine.use_search_flag = config.value("task", "train") == "search"
            engine.init_network_from_config(config)
        found = {v.op.name: v for v in engine.network.get_params_list()}
        values = engine.tf_session.run({**found, "global_step": engine.network.global_train_step_var})
        plain = {name: np.asarray(value).tolist() for name, value in sorted(values.items())}
        return {"epoch": engine.epoch, "first_epoch": engine.start_epoch, "values": plain}
    finally:
        engine.finalize()
        tf.compat.v1.reset_default_graph()


def main() -> None:
    """Write the files."""
    write_checkpoints(DATA / "checkpoints")
    import tensorflow as tf

    tf.compat.v1.disable_eager_execution()
    lines = [f"{json.dumps(name)}: {json.dumps(record(name, text))}" for name, text in {**CASES, **ERRORS}.items()]
    (DATA / "loaded.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
