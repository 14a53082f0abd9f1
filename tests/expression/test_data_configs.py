"""Configs that are data run no code: what their expressions reach is walked, and ways out of it are tried."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import BuiltinMethodType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from compiler.program.program import Program, compile_net
from compiler.tensorflow.python_code import call as python_call
from compiler.tensorflow.python_code.helpers import Helpers
from compiler.tensorflow.python_code.modules import TensorFunctions
from returnn_ir import load
from returnn_ir.errors import UserError
from returnn_ir.expression.dtypes import DType
from returnn_ir.expression.evaluate import evaluate_expression, parse_expression
from returnn_ir.expression.namespaces import Missing, Namespace
from returnn_ir.expression.number_functions import NUMBER_NAMES
from returnn_ir.expression.numbered import Numbered
from returnn_ir.expression.table import RETURNN_ONLY, tensor_function_names
from returnn_ir.facade.access import DATA_ONLY, TRUSTED, AttributeRule
from returnn_ir.ir.dims import Dim
from returnn_ir.layers.code import evaluation

X = np.random.default_rng(1).standard_normal((2, 4, 3)).astype(np.float32)
FEED: dict[str, np.ndarray[Any, Any]] = {"data": X, "data/size1": np.array([4, 2], np.int64)}


def config(tmp_path: Path, code: str, **layer: object) -> Path:
    """A JSON config with an eval layer."""
    network = {"output": {"class": "eval", "eval": code, "from": "data", **layer}}
    path = tmp_path / "net.json"
    path.write_text(json.dumps({"extern_data": {"data": {"dim": 3}}, "network": network}), encoding="utf8")
    return path


def program(path: Path, target: str = "reference") -> Program:
    return compile_net(load(path), target=target, mode="forward")


def refusal(path: Path, target: str = "reference") -> str:
    with pytest.raises(UserError) as caught:
        program(path, target).run(FEED, {})
    return str(caught.value)


# ---------------------------------------------------------------- the walk

#: Objects that hold nothing; what an expression can do with them is in the evaluator.
PLAIN = (bool, int, float, complex, str, type(None), np.generic, np.ndarray, tf.Tensor, tf.DType, tf.TensorShape)
OWN_MODULES = (
    "returnn_ir.expression.",
    "returnn_ir.facade.",
    "returnn_ir.layers.code.evaluation",
    "compiler.tensorflow.python_code.call",
)


def is_allowed(value: Any, path: str) -> bool:
    """Whether nothing but tensors, numbers and the config's data can be reached by calling or looking at it."""
    if isinstance(value, (Namespace, TensorFunctions)):
        return True
    if isinstance(value, (ModuleType, type)):
        # NumPy's number types, by which arrays are made; a type of another kind could be made an object of
        return (
            isinstance(value, type) and issubclass(value, (np.number, np.bool_)) and path.startswith(("np.", "numpy."))
        )
    if isinstance(value, partial):
        return value.func.__module__.startswith("returnn_ir.expression.") and not value.keywords
    if isinstance(value, MethodType):
        return is_allowed(value.__self__, path)
    if isinstance(value, BuiltinMethodType):
        return isinstance(value.__self__, (str, list, tuple, dict)) or value.__self__ is __import__("math")
    if isinstance(value, np.ufunc):
        return False  # these take types and objects: the table has them wrapped
    if isinstance(value, FunctionType) or callable(getattr(value, "__wrapped__", None)):
        module = str(value.__module__)
        name = str(getattr(value, "__name__", ""))
        ours = module.startswith("returnn_ir.expression.number_functions") or module in (
            "numpy",
            "compiler.tensorflow.python_code.helpers",
        )
        framework = module in (
            "tensorflow.python.framework.constant_op",
            "tensorflow.python.framework.tensor_conversion",
        )
        return ours or framework or module.startswith("tensorflow.python.ops.") or name in ("source", "dropout")
    if isinstance(value, (list, tuple, dict, *PLAIN, Numbered, DType, Missing, Dim)):
        return True
    return type(value).__module__.startswith(OWN_MODULES)


def names_of(value: Any, rule: AttributeRule) -> Iterator[str]:
    """Everything that one might look for: what the object has, what the table has, and what hides in all objects."""
    yield from dir(value)
    yield from rule(value) or ()
    yield from ("_b", "b", "_os", "io", "os", "sys", "func", "args", "keywords", "_modules", "__globals__", "__class__")


def attribute(value: Any, name: str, rule: AttributeRule) -> Any:
    return evaluate_expression(parse_expression(f"x.{name}"), {"x": value}, rule)


def kind_of(value: Any) -> object:
    """What tells objects apart: of tensors and views one is as good as another."""
    if isinstance(value, TensorFunctions):
        return tuple(module.__name__ for module in value._modules)
    if isinstance(value, partial):
        return value.func
    if isinstance(value, Namespace):  # all of them look into one table
        return Namespace
    if isinstance(value, MethodType):
        return type(value.__self__), value.__name__
    alone = (
        callable(value) or isinstance(value, (list, tuple, dict)) or not type(value).__module__.startswith(OWN_MODULES)
    )
    return id(value) if alone and not isinstance(value, PLAIN) else type(value)


def walk(start: Mapping[str, Any], rule: AttributeRule, depth: int = 5) -> tuple[list[str], int]:
    """The paths to what is not allowed, and the number of objects that were looked at."""
    wrong: list[str] = []
    seen: set[object] = set()
    kept: list[Any] = []  # so that no two objects have the same id
    todo = [(path, value, 0) for path, value in start.items()]
    while todo:
        path, value, level = todo.pop(0)
        if kind_of(value) in seen:
            continue
        seen.add(kind_of(value))
        kept.append(value)
        if not is_allowed(value, path):
            wrong.append(f"{path}: {value!r:.80}")
            continue
        if level == depth:
            continue
        if isinstance(value, (list, tuple)):
            todo.extend((f"{path}[{i}]", entry, level + 1) for i, entry in enumerate(value))
        if isinstance(value, dict):
            todo.extend((f"{path}[{key!r}]", entry, level + 1) for key, entry in value.items())
        for name in set(names_of(value, rule)):
            try:
                found = attribute(value, name, rule)
            except Exception:  # refused, or nothing that the object has in this state
                continue
            todo.append((f"{path}.{name}", found, level + 1))
            if isinstance(found, MethodType):
                try:
                    todo.append((f"{path}.{name}()", found(), level + 1))
                except Exception:  # it needs arguments, or the data have no such axis
                    continue
    return wrong, len(seen)


def called(source: Callable[..., Any]) -> dict[str, Any]:
    """What ``source`` gives."""
    found = {"source(0)": source(0), "as_data": source(0, as_data=True), "as_layer": source(0, as_layer=True)}
    return {"source": source, **found, "source(0).shape": found["source(0)"].shape}


def compiled_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What an expression sees while it is compiled."""
    caught: dict[str, Any] = {}

    def catch(tree: Any, names: Mapping[str, Any], attributes: AttributeRule) -> Any:
        assert attributes is DATA_ONLY
        caught.update(names)
        caught.update(called(names["source"]))
        return names["source"](0)

    monkeypatch.setattr(evaluation, "evaluate_expression", catch)
    program(config(tmp_path, "source(0)", eval_locals={"table": {"a": [1, "b"]}}))
    return caught


def test_what_an_expression_reaches_while_it_is_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = compiled_names(tmp_path, monkeypatch)
    wrong, count = walk(names, DATA_ONLY)
    assert wrong == []
    assert count > 400


def test_what_an_expression_reaches_on_tensorflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    caught: dict[str, Any] = {}

    def catch(tree: Any, names: Mapping[str, Any], attributes: AttributeRule) -> Any:
        wrong, count = walk({**names, **called(names["source"])}, attributes)
        caught.update(wrong=wrong, count=count)
        return names["source"](0)

    monkeypatch.setattr(python_call, "evaluate_expression", catch)
    program(config(tmp_path, "tf.math.lgamma(source(0))"), "tf").run(FEED, {})
    assert caught["wrong"] == []
    assert caught["count"] > 300


def test_what_an_initialiser_reaches() -> None:
    wrong, count = walk(NUMBER_NAMES, DATA_ONLY)
    assert wrong == []
    assert count > 100


def test_the_walk_finds_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the rule for Python configs it finds modules and the builder."""
    wrong, _ = walk(compiled_names(tmp_path, monkeypatch), TRUSTED, depth=2)
    assert any("._b: <returnn_ir.construct.layer_builder.LayerBuilder" in path for path in wrong)
    wrong, _ = walk({"tf": tf}, TRUSTED, depth=1)
    assert wrong


def test_the_table_names_functions_of_tensors_only() -> None:
    """What has such a name in a module that an expression may look into is a function of TensorFlow's ops."""
    stand_in = TensorFunctions((tf, tf.compat.v1))
    parts = [stand_in, *(getattr(stand_in, part) for part in ("math", "nn", "linalg", "random", "signal", "debugging"))]
    for name in sorted(tensor_function_names()):
        for part in parts:
            found = getattr(part, name, None)
            assert found is None or is_allowed(found, name), f"{part.__name__}.{name}: {found}"
    assert set(Helpers(training=True).functions) <= RETURNN_ONLY | tensor_function_names()


# ---------------------------------------------------------------- ways out

NOT_LISTED = "which is not on the list of what it may use"


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("source(0) + tf._os.system('touch /tmp/x')", "tf._os"),
        ("source(0) + (0 if tf.io.gfile.rmtree('/tmp/x') is None else 0)", "tf.io"),
        ("tf.load_op_library('x.so')", "tf.load_op_library"),
        ("tf.py_function(lambda x: x, [source(0)], tf.float32)", "tf.py_function"),
        ("tf.numpy_function(lambda x: x, [source(0)], tf.float32)", "tf.numpy_function"),
        ("tf.print(source(0), output_stream='file:///tmp/x')", "tf.print"),
        ("tf.compat.v1.gfile", "tf.compat.v1.gfile"),
        ("tf_compat.v1.app", "tf_compat.v1.app"),
        ("tf.Tensor(1, 2, 3)", "tf.Tensor"),
        ("tf.nn.relu.func", "tf.nn.relu.func"),
        ("tf._b", "tf._b"),
        ("self.network._b.program", "self.network._b"),
        ("source._b", "source._b"),
        ("source(0).b", "source(0).b"),
        ("source(0, as_data=True)._output", "source(0, as_data=True)._output"),
        ("source(0, as_data=True).get_dim_tag('F').expr", "source(0, as_data=True).get_dim_tag('F').expr"),
        ("self.network.get_config().typed_dict.__class__", "self.network.get_config().typed_dict.__class__"),
        ("().__class__.__base__", "().__class__"),
        ("'{0.__class__}'.format(source)", "'{0.__class__}'.format"),
        ("(lambda: 1).__globals__", "(lambda: 1).__globals__"),
        ("dict.fromkeys", "dict.fromkeys"),
        ("__import__('os').system('true')", "the name '__import__'"),
        ("open('/etc/passwd')", "the name 'open'"),
        ("getattr(tf, '_os')", "the name 'getattr'"),
    ],
)
def test_refused(tmp_path: Path, code: str, what: str) -> None:
    path = config(tmp_path, code)
    message = refusal(path)
    assert message.startswith(f"layer 'output' ({path}:1, key 'eval'): the expression uses {what}, {NOT_LISTED}\n")
    assert "the config's own data: only a config in Python runs code" in message


def test_a_near_miss_is_named(tmp_path: Path) -> None:
    assert refusal(config(tmp_path, "tf.reduce_summ(source(0))")).endswith("try: did you mean 'reduce_sum'?")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("tf.nn.relu(source(0))", np.maximum(X, 0)),
        ("tf.math.lgamma(tf.abs(source(0)) + 1)", None),
        ("tf_compat.v1.to_float(source(0) > 0)", X > 0),
        ("tf.where(tf.reshape(source(0), [-1, 4, 3]) > 0, 1.0, 0.0)", X > 0),
        ("swapaxes(swapaxes(source(0), 0, 1), 0, 1) * 2 ** 2", X * 4),
        ("tf.gather(source(0), [2, 0, 1], axis=2, batch_dims=0)[..., ::-1]", X[..., [1, 0, 2]]),
        ("source(0) * table['a'][1]", X * 3),
        ("source(0) + (1 if self.network.get_config().typed_value('network') else 0)", X + 1),
        ("source(0) * source(0, as_data=True).placeholder.shape[-1] + len(self.sources)", X * 3 + 1),
    ],
)
def test_tensor_functions_work(tmp_path: Path, code: str, expected: Any) -> None:
    """Compiled, and on TensorFlow what the IR has no op for."""
    found = program(config(tmp_path, code, eval_locals={"table": {"a": [1, 3]}}), "tf").run(FEED, {})["output/output"]
    expected = np.asarray(tf.math.lgamma(np.abs(X) + 1)) if expected is None else expected
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("code", ["tf.reshape(source(0), [-1])._op", "tf.shape(tf.reshape(source(0), [-1])).graph"])
def test_tensors_of_tensorflow_show_little(tmp_path: Path, code: str) -> None:
    message = refusal(config(tmp_path, code), "tf")
    assert message.startswith(f"layer 'output': the expression uses {code}, {NOT_LISTED}")


def test_activations_and_initialisers_of_any_config(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    layer = {"class": "linear", "n_out": 2, "from": "data", "activation": "tf._os.system('true') or tf.nn.relu(x)"}
    path.write_text(json.dumps({"extern_data": {"data": {"dim": 3}}, "network": {"output": layer}}))
    assert f"key 'activation'): the expression uses tf._os, {NOT_LISTED}" in refusal(path)


def test_overrides_of_data_are_data(tmp_path: Path) -> None:
    network = {"output": {"class": "eval", "eval": "source(0) + tf._os.getpid()", "from": "data"}}
    lines = tmp_path / "net.config"
    lines.write_text("num_inputs 3\nnum_outputs 3\n")
    file = tmp_path / "n.json"
    file.write_text(json.dumps(network))
    for path, value in (
        (config(tmp_path, "source(0)"), repr(network)),
        (lines, str(file)),
        (lines, json.dumps(network)),
    ):
        with pytest.raises(UserError, match=r"the expression uses tf\._os"):
            compile_net(load(path, ["++network", value]), target="reference")


def test_a_python_config_is_trusted_and_a_network_file_of_it_is_not(tmp_path: Path) -> None:
    code = "source(0) + tf._os.getpid() * 0"
    network = {"output": {"class": "eval", "eval": code, "from": "data"}}
    (tmp_path / "n.json").write_text(json.dumps(network))
    trusted, named = tmp_path / "net.py", tmp_path / "named.py"
    trusted.write_text(f"extern_data = {{'data': {{'dim': 3}}}}\nnetwork = {network!r}\n")
    named.write_text("extern_data = {'data': {'dim': 3}}\nnetwork = 'n.json'\n")
    np.testing.assert_array_equal(program(trusted, "tf").run(FEED, {})["output/output"], X)
    assert f"the expression uses tf._os, {NOT_LISTED}" in refusal(named)
