"""Records what RETURNN's updater does, for an environment that has RETURNN 1 and TensorFlow.

``python tests/runtime/record_optimizers.py rmsprop.json '{"rmsprop": {"optimizer": {"class": "rmsprop"}}}'`` writes
cases of these names and configs into a file of ``data/optimizers/``; without configs it records the file's own again.
A case has the variables after each step and the slots at the end, and after step 3 all that is in a checkpoint.
RETURNN's Nadam needs a TensorFlow before 2.21, the others do not.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["record"]

DATA = Path(__file__).parent / "data" / "optimizers"
STEPS_BEFORE_CHECKPOINT = 3


def record(options: dict[str, Any], problem: dict[str, Any]) -> dict[str, Any]:
    """Run RETURNN's updater with these options of a config on the gradients of the problem."""
    import tensorflow as tf
    from returnn.config import Config
    from returnn.tf.updater import Updater

    config, v1 = Config(options), tf.compat.v1
    v1.disable_eager_execution()
    with tf.Graph().as_default(), v1.Session() as session:
        variables = {name: _variable(name, value) for name, value in problem["init"].items()}
        gradients = {name: v1.placeholder(tf.float32, v.shape) for name, v in variables.items()}
        loss = tf.add_n([tf.reduce_sum(variables[name] * gradients[name]) for name in variables])
        step = v1.get_variable("global_step", initializer=tf.constant(0, tf.int64), trainable=False)
        updater = Updater(config, objective=loss, global_train_step_var=step)
        updater.set_trainable_vars(list(variables.values()))
        update = updater.get_optim_op()
        session.run(v1.global_variables_initializer())
        updater.init_optimizer_vars(session)
        slots = {v.op.name: v for v in updater.optimizer_vars}
        case: dict[str, Any] = {"config": options, "steps": []}
        for given, rate in zip(problem["grads"], problem["learning_rates"], strict=True):
            updater.set_learning_rate(rate, session)
            session.run(update, {gradients[name]: value for name, value in given.items()})
            case["steps"].append(_plain(session.run(variables)))
            if len(case["steps"]) == STEPS_BEFORE_CHECKPOINT:
                case["checkpoint"] = _checkpoint([*variables.values(), *slots.values()], session)
        return {**case, "slots": _plain(session.run(slots))}


def _variable(name: str, value: Any) -> Any:
    import tensorflow as tf

    return tf.compat.v1.get_variable(name, initializer=tf.constant(value, tf.float32), use_resource=True)


def _checkpoint(variables: list[Any], session: Any) -> dict[str, Any]:
    """What TensorFlow saves, as RETURNN does with ``debug_save_updater_vars``, under the names in the file."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        prefix = tf.compat.v1.train.Saver(variables).save(session, f"{folder}/model")
        reader = tf.train.load_checkpoint(prefix)
        return _plain({name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()})


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Numbers for JSON, each the shortest text of its float32."""
    return {name: json.loads(_text(np.asarray(value))) for name, value in sorted(values.items())}


def _text(value: Any) -> str:
    return str(value[()]) if value.ndim == 0 else "[" + ",".join(map(_text, value)) + "]"


def main(name: str, configs: str = "") -> None:
    """Write one file."""
    path, problem = DATA / name, json.loads((DATA / "problem.json").read_text(encoding="utf-8"))
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    wanted = json.loads(configs) if configs else {case: there["config"] for case, there in before.items()}
    lines = [f"{json.dumps(case)}: {json.dumps(record(options, problem))}" for case, options in wanted.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
