"""RETURNN's ``Data`` answers the same of a traced tensor and of TensorFlow's: numbers, masks, lengths, other orders."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compiler.reference.target import ReferenceTarget
from compiler.tensorflow.python_code.tensor_source import TensorSource
from returnn_ir.errors import DimError, UnsupportedError
from returnn_ir.expression.numbered import Numbered
from returnn_ir.expression.traced_source import TracedSource
from returnn_ir.facade.data import DataView
from returnn_ir.facade.network import ConfigView, ProgramFacts
from returnn_ir.ir.python_call import CallSource
from tests.expression.tensors import LENGTHS, Symbols, numbers, shaped

#: What is asked of the data, from the orders batch, time, features and time, batch, features.
NUMBERS = (
    *("batch_dim_axis", "time_dim_axis", "feature_dim_axis", "time_dim_axis_excluding_batch", "batch_ndim", "ndim"),
    *("dim", "sparse", "dtype", "beam", "is_batch_major", "is_time_major", "have_time_axis()", "have_batch_axis()"),
    *("have_feature_axis()", "get_dynamic_axes()", "get_static_axes()", "get_axis_from_description('T')"),
    *("get_axis_from_description('F')", "get_axis_from_description(-1)", "get_axes_from_description(['B', 'T'])"),
    *("shape[-1]", "batch_shape[-1]", "len(shape)", "list(size_placeholder)"),
)
TENSORS = (
    *("placeholder", "raw_tensor", "get_sequence_lengths()", "get_sequence_mask()", "get_sequence_mask_broadcast()"),
    *("get_dynamic_size(get_axis_from_description('T'))", "list(size_placeholder.values())[0]"),
    *("get_placeholder_as_batch_major()", "get_placeholder_as_time_major()", "copy_with_feature_last().placeholder"),
    *("copy_as_bt_or_tb_major().placeholder", "copy_as_time_major().get_sequence_mask()", "copy().placeholder"),
)


def traced(symbols: Symbols) -> DataView[Numbered]:
    data = symbols.b.scope.get("data:data")
    return DataView(TracedSource(symbols.b, data, Numbered(symbols.b, data.value, data.axes), data))


def run_by_tensorflow() -> DataView[Any]:
    import tensorflow as tf

    described = CallSource(0, (True, True, True), 0, 1, 2, {1: 1}, numbers()["x"].shape[-1], False, "float32")
    return DataView(TensorSource(described, [tf.constant(numbers()["x"]), tf.constant(LENGTHS)]))


def ask(data: DataView[Any], question: str) -> Any:
    """The answer to an expression whose names are the data's."""

    class Names(dict[str, Any]):
        def __missing__(self, name: str) -> Any:
            return getattr(data, name)

    return eval(question, {"__builtins__": {}}, Names(len=len, list=list))  # questions of this file


@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize("question", NUMBERS)
def test_numbers(question: str, time_major: bool) -> None:
    answers = []
    for data in (traced(Symbols()), run_by_tensorflow()):
        answers.append(ask(data.copy_as_time_major() if time_major else data, question))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize("question", TENSORS)
def test_tensors(question: str, time_major: bool) -> None:
    symbols = Symbols()
    symbolic, data = traced(symbols), run_by_tensorflow()
    if time_major:
        symbolic, data = symbolic.copy_as_time_major(), data.copy_as_time_major()
    answer = ask(symbolic, question)
    symbols.give("answer", answer)
    expected = ask(data, question).numpy()
    found = shaped(symbols.run(ReferenceTarget())["answer"], answer)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


@pytest.mark.parametrize("make", [lambda: traced(Symbols()), run_by_tensorflow], ids=["traced", "tensorflow"])
def test_what_is_refused(make: Any) -> None:
    data = make()
    with pytest.raises(UnsupportedError, match=r"^data\.get_special_axes$"):
        data.get_special_axes()
    with pytest.raises(UnsupportedError, match=r"^the lengths of axis 2$"):
        data.get_dynamic_size(2)
    with pytest.raises(DimError, match="axis 3 of a tensor with 3 axes"):
        data.get_axis_from_description(3)


def test_the_config_gives_functions_that_work_on_tensors() -> None:
    options = {"f": "plain", "n": "3", "flag": 1, "several": [5, 6]}
    facts: ProgramFacts[int] = ProgramFacts(
        options, lambda value: (value, "bound"), lambda: 7, None, None, False, False, False, True
    )
    config = ConfigView(facts)
    assert config.typed_value("f") == ("plain", "bound")
    assert config.value("missing", 4) == (4, "bound")
    assert config.has("n") and not config.has("m")
    assert config.typed_dict["several"] == ([5, 6], "bound")
