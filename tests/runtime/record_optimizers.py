"""Records what RETURNN's updater does, for an environment that has RETURNN 1 and TensorFlow.

``python tests/runtime/record_optimizers.py rmsprop.json '{"rmsprop": {"optimizer": {"class": "rmsprop"}}}'`` writes
cases of these names and configs into a file of ``data/optimizers/``; without configs it records the file's own again.
The ``problem.json`` beside the file has initial values, and the gradients of each step: of whole variables (``grads``),
and of rows of them (``rows``: indices and values, as an embedding has them). A case has the variables after each step
(or those of the problem's ``recorded`` steps) and the slots at the end, and after step 3 all that is in a checkpoint.
``#variables`` in a config is what layers say of a variable: ``{"a/W": {"updater_opts": {...}, "L2": 0.01}}``.
RETURNN's Nadam imports a module that TensorFlow 2.21 no longer has; the recorder puts it back.
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
    from tensorflow.python.ops import gen_training_ops

    config, v1 = Config({key: value for key, value in options.items() if key[0] != "#"}), tf.compat.v1
    v1.disable_eager_execution()
    sys.modules["tensorflow.python.training.training_ops"] = gen_training_ops
    with tf.Graph().as_default(), v1.Session() as session:
        variables = {name: _variable(name, value) for name, value in problem["init"].items()}
        for name, said in options.get("#variables", {}).items():
            _say(variables[name], **said)
        feed, losses = _Feed(), []
        for name in problem["grads"][0]:
            losses.append(tf.reduce_sum(variables[name] * feed.add("grads", name)))
        for name in problem.get("rows", [{}])[0]:
            indices, values = feed.add("rows", name, 0, tf.int32), feed.add("rows", name, 1)
            losses.append(tf.reduce_sum(tf.gather(variables[name], indices) * values))
        loss = tf.add_n(losses)
        step = v1.get_variable("global_step", initializer=tf.constant(0, tf.int64), trainable=False)
        updater = Updater(config, objective=loss, global_train_step_var=step)
        updater.set_trainable_vars(list(variables.values()))
        update = updater.get_optim_op()
        session.run(v1.global_variables_initializer())
        updater.init_optimizer_vars(session)
        slots = {v.op.name: v for v in updater.optimizer_vars}
        case: dict[str, Any] = {"config": options, "steps": []}
        for number, rate in enumerate(problem["learning_rates"], start=1):
            updater.set_learning_rate(rate, session)
            session.run(update, feed.values(problem, number - 1))
            if number in problem.get("recorded", [number]):
                case["steps"].append(_plain(session.run(variables)))
            if number == STEPS_BEFORE_CHECKPOINT and "recorded" not in problem:
                case["checkpoint"] = _checkpoint([*variables.values(), *slots.values()], session)
        return {**case, "slots": _plain(session.run(slots))}


def _variable(name: str, value: Any) -> Any:
    import tensorflow as tf

    return tf.compat.v1.get_variable(name, initializer=tf.constant(value, tf.float32), use_resource=True)


def _say(variable: Any, updater_opts: dict[str, Any] | None = None, L2: float = 0.0) -> None:
    """What RETURNN's layers put onto their variables."""
    from returnn.util.basic import CollectionReadCheckCovered

    if updater_opts:
        variable.RETURNN_updater_opts = CollectionReadCheckCovered(updater_opts)
    variable.RETURNN_constraint_L2 = L2


class _Feed:
    """Placeholders for the parts of a problem."""

    def __init__(self) -> None:
        self._fed: list[tuple[Any, tuple[str, str, int | None]]] = []

    def add(self, part: str, name: str, entry: int | None = None, dtype: Any = "float32") -> Any:
        """A placeholder for what the problem has of a variable in each step."""
        import tensorflow as tf

        self._fed.append((tf.compat.v1.placeholder(dtype), (part, name, entry)))
        return self._fed[-1][0]

    def values(self, problem: dict[str, Any], step: int) -> dict[Any, Any]:
        """What is fed in a step."""
        found = {}
        for placeholder, (part, name, entry) in self._fed:
            value = problem[part][step][name]
            found[placeholder] = value if entry is None else value[entry]
        return found


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
    path = DATA / name
    problem = json.loads((path.parent / "problem.json").read_text(encoding="utf-8"))
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    wanted = json.loads(configs) if configs else {case: there["config"] for case, there in before.items()}
    lines = [f"{json.dumps(case)}: {json.dumps(record(options, problem))}" for case, options in wanted.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
