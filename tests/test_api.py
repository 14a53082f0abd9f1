"""The public functions: their signatures, their documentation, and what they say about arguments that mean nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import compiler
import returnn_ir
from compiler.program.program import make_target
from compiler.target.fixed_batch import FixedBatch
from returnn_ir.errors import UserError
from returnn_ir.network.net import Net

CONFIG = """
extern_data = {"data": {"dim": 3}}
network = {"output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data"}}
"""

SIGNATURES: dict[Callable[..., Any], str] = {
    returnn_ir.load: (
        "(path: 'str | Path', overrides: 'Sequence[str]' = (), *, epoch: 'int | None' = None,"
        " mode: 'str | None' = None, assume: 'Assumptions | None' = None) -> 'Net'"
    ),
    compiler.compile: (
        "(net: 'Net', *, target: 'str', mode: 'str' = 'forward', fetch: 'Sequence[str] | None' = None,"
        " everything: 'bool' = False, losses: 'bool' = True, opset: 'int | None' = None,"
        " profile: 'str | None' = None, fixed: 'FixedBatch | None' = None, device: 'str | None' = None,"
        " print_stage: 'Callable[[str, Graph], None] | None' = None) -> 'Program'"
    ),
    compiler.Program.run: (
        "(self, inputs: 'Mapping[str, Array]', params: 'Mapping[str, Array]') -> 'dict[str, Array]'"
    ),
    compiler.Program.gradients: (
        "(self, inputs: 'Mapping[str, Array]', params: 'Mapping[str, Array]') -> 'dict[str, Array]'"
    ),
    compiler.Program.initial_params: "(self, seed: 'int' = 42) -> 'dict[str, Array]'",
    compiler.Program.input_names: "(self) -> 'list[str]'",
}


@pytest.fixture
def net(tmp_path: Path) -> Net:
    return returnn_ir.load(_file(tmp_path))


def _file(folder: Path, more: str = "") -> Path:
    path = folder / "net.py"
    path.write_text(CONFIG + more, encoding="utf-8")
    return path


@pytest.mark.parametrize("function", SIGNATURES, ids=lambda f: f.__qualname__)
def test_signature(function: Callable[..., Any]) -> None:
    """Every argument is explicit, and the docstring names it unless its name says everything."""
    assert str(inspect.signature(function)) == SIGNATURES[function]
    text = inspect.getdoc(function)
    assert text
    if "Args:" in text:
        named = [name for name in inspect.signature(function).parameters if name != "self"]
        assert [name for name in named if f"\n    {name}: " not in text] == []


def test_everything_public_is_described() -> None:
    for module in (returnn_ir, compiler):
        for name in module.__all__:
            assert inspect.getdoc(getattr(module, name)), f"{module.__name__}.{name}"


def test_an_argument_that_does_not_exist(net: Net) -> None:
    misspelt: Any = {"mdoe": "train"}
    with pytest.raises(TypeError, match="mdoe"):
        compiler.compile(net, target="reference", **misspelt)


MESSAGES: dict[str, tuple[dict[str, Any], str]] = {
    "target": (
        {"target": "onx"},
        "unknown target 'onx'\n  expected: reference, tf, onnx\n  try: did you mean 'onnx'?",
    ),
    "mode": (
        {"target": "reference", "mode": "trian"},
        "unknown mode 'trian'\n  expected: forward, eval, train, search\n  try: did you mean 'train'?",
    ),
    "opset": (
        {"target": "reference", "opset": 18},
        "opset: target 'reference' has no opset\n  received: 18\n  try: target 'onnx' has one",
    ),
    "device": (
        {"target": "tf", "device": "gpuu"},
        "unknown device 'gpuu'\n  expected: cpu, gpu, both\n  try: did you mean 'gpu'?",
    ),
    "profile": (
        {"target": "onnx", "profile": "ort"},
        "unknown profile 'ort'\n  expected: portable, onnxruntime",
    ),
    "profile_misspelt": (
        {"target": "onnx", "profile": "onxruntime"},
        "unknown profile 'onxruntime'\n  expected: portable, onnxruntime\n  try: did you mean 'onnxruntime'?",
    ),
    "profile_of_another_target": (
        {"target": "tf", "profile": "onnxruntime"},
        "profile: target 'tf' has no profile\n  received: onnxruntime\n  try: target 'onnx' has one",
    ),
    "fixed_sizes_of_another_target": (
        {"target": "tf", "fixed": FixedBatch(2, 9)},
        "fixed: target 'tf' has no fixed sizes\n"
        "  received: FixedBatch(batch=2, longest=9, steps=None)\n"
        "  try: target 'onnx' has them",
    ),
    "opset_range": (
        {"target": "onnx", "opset": 99},
        "--opset: unknown ONNX opset\n  expected: 17 to 26\n  received: 99",
    ),
    "fetch": (
        {"target": "reference", "fetch": ["ouput"]},
        "there is no layer 'ouput'\n  try: did you mean 'output'?",
    ),
    "fetch_text": (
        {"target": "reference", "fetch": "output"},
        "'fetch' is a list of layer names\n  received: 'output'\n  try: fetch=['output']",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_value_that_means_nothing(name: str, net: Net) -> None:
    arguments, message = MESSAGES[name]
    with pytest.raises(UserError) as error:
        compiler.compile(net, **arguments)
    assert str(error.value) == message


FUSION = {
    '"never"': (
        "{path}:4, key 'fusion': option 'fusion' has the wrong type\n"
        '  expected: a dict such as {"lstm": "require"}\n'
        "  received: 'never' (str)",
        None,
    ),
    '{"lsmt": "never"}': ("config key 'fusion' names 'lsmt', which is no composite", "did you mean 'lstm'?"),
    '{3: "never"}': (
        "{path}:4, key 'fusion': option 'fusion' has the wrong type\n"
        '  expected: a dict such as {"lstm": "require"}\n'
        "  received: {3: 'never'} (dict)",
        None,
    ),
    '{"lstm": "nevr"}': (
        "config key 'fusion' has an unknown policy for 'lstm'\n  expected: one of require, prefer, never\n"
        "  received: 'nevr'\n  try: did you mean 'never'?",
        None,
    ),
}


@pytest.mark.parametrize("fusion", FUSION)
def test_fusion_that_means_nothing(fusion: str, tmp_path: Path) -> None:
    begin, hint = FUSION[fusion]
    path = _file(tmp_path, f"fusion = {fusion}\n")
    net = returnn_ir.load(path)
    with pytest.raises(UserError) as error:
        compiler.compile(net, target="reference")
    assert str(error.value).startswith(begin.replace("{path}", str(path)))
    assert hint is None or error.value.hint == hint


def test_loading_with_what_means_nothing(tmp_path: Path) -> None:
    path = _file(tmp_path)
    with pytest.raises(UserError) as error:
        returnn_ir.load(path, "++a 1")
    assert str(error.value) == ("'overrides' is a list of words\n  received: '++a 1'\n  try: overrides=['++a', '1']")
    with pytest.raises(UserError) as error:
        returnn_ir.load(path, epoch=0)
    assert str(error.value) == "there is no such epoch\n  expected: 1 or more\n  received: 0"


@pytest.mark.parametrize("target", ["reference", "tf", "onnx"])
def test_a_parameter_that_is_changed_in_place(target: str, net: Net) -> None:
    """The next run has the new value, whatever the program keeps from the last one."""
    program = compiler.compile(net, target=target)
    params = program.initial_params()
    inputs = {"data": np.ones((2, 3, 3), np.float32), "data/size1": np.array([3, 1])}

    def expected() -> Any:
        return np.tanh(inputs["data"] @ params["output/W"] + params["output/b"])

    for name, at, value in (("output/W", (0, 1), 2.0), ("output/b", (1,), np.nan), ("output/b", (1,), -0.5)):
        np.testing.assert_allclose(program.run(inputs, params)["output/output"], expected(), rtol=1e-5, atol=1e-6)
        params[name][at] = value
        np.testing.assert_allclose(program.run(inputs, params)["output/output"], expected(), rtol=1e-5, atol=1e-6)
    params["output/W"] = params["output/W"][::-1]  # a view of the same memory
    np.testing.assert_allclose(program.run(inputs, params)["output/output"], expected(), rtol=1e-5, atol=1e-6)


def test_equal_parameters_need_no_new_model(net: Net) -> None:
    program = compiler.compile(net, target="onnx")
    executable: Any = program.executable
    params = program.initial_params()
    model = executable.model(params)
    assert executable.model({name: value.copy() for name, value in params.items()}) is model
    assert executable.model({**params, "unused": np.zeros(3)}) is model
    params["output/b"][0] = np.nan
    changed = executable.model(params)
    assert changed is not model
    assert executable.model(params) is changed


def test_making_a_target() -> None:
    assert make_target("onnx").name == "onnx"
    assert vars(make_target("onnx", opset=18))["opset"] == 18
