"""Every function of expressions, and Python's operators, against TensorFlow's own: each target computes all samples."""

from __future__ import annotations

import ast
import functools
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from compiler.program.program import make_target
from compiler.tensorflow.python_code.modules import Tensorflow
from returnn_ir.expression.numbered import Numbered
from returnn_ir.expression.table import find_function, function_names
from tests.expression.samples import SAMPLES
from tests.expression.tensors import Array, Symbols, numbers, shaped

PAIRS = {s if isinstance(s, str) else s[0]: s if isinstance(s, str) else s[1] for f in SAMPLES.values() for s in f}
#: Functions whose results are draws; they have tests of their own.
RANDOM = {"normal", "random_normal", "uniform", "random_uniform"}


@functools.cache
def computed(target: str) -> dict[str, list[Array]]:
    """The results of all samples, from one program."""
    symbols = Symbols()
    results: dict[str, list[Numbered]] = {}
    for number, text in enumerate(PAIRS):
        results[text] = symbols.results(text)
        for i, value in enumerate(results[text]):
            symbols.give(f"{number}.{i}", value)
    found = symbols.run(make_target(target))
    return {
        text: [shaped(found[f"{number}.{i}"], value) for i, value in enumerate(results[text])]
        for number, text in enumerate(PAIRS)
    }


@functools.cache
def tensorflow_names() -> dict[str, Any]:
    """TensorFlow, and the tensors; TensorFlow 2 where both versions have a name."""
    return {"tf": Tensorflow((tf, tf.compat.v1)), **{name: tf.constant(a) for name, a in numbers().items()}}


@pytest.mark.parametrize("target", ["reference", "tf", "onnx"])
@pytest.mark.parametrize("text", PAIRS)
def test_is_what_tensorflow_computes(text: str, target: str) -> None:
    """Element types and shapes, too; also behind a sequence's end, because expressions see padded tensors."""
    made = eval(PAIRS[text], tensorflow_names())  # our own text
    expected = [np.asarray(x) for x in (made if isinstance(made, (list, tuple)) else [made])]
    found = computed(target)[text]
    assert [x.shape for x in found] == [x.shape for x in expected]
    assert [x.dtype for x in found] == [x.dtype for x in expected]
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


def _effects() -> set[str]:
    """What does something besides computing, and gives what it was given; the golden case eval_prints has that."""
    found: dict[str, Any] = {name: find_function(Symbols().b, name) for name in function_names()}
    return {name for name, f in found.items() if f.func.__module__ == "returnn_ir.expression.effects"}


def test_every_function_has_a_sample() -> None:
    called: set[str] = set()
    for text in PAIRS:
        for node in ast.walk(ast.parse(text, mode="eval")):
            if isinstance(node, ast.Call):
                called.add(node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""))
    assert sorted(set(function_names()) - called - RANDOM - _effects()) == []
