"""cuDNN's LSTM without a GPU: on a double of the op, see :mod:`tests.tensorflow.cudnn_contract`."""

from __future__ import annotations

import inspect

import pytest
import tensorflow as tf

from compiler.tensorflow.kernels import cudnn_lstm
from tests.tensorflow.cudnn_cases import CASES, Case, difference
from tests.tensorflow.cudnn_contract import cudnn_rnn_v3


@pytest.fixture(autouse=True)
def on_the_double(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cudnn_lstm, "_cudnn_rnn", cudnn_rnn_v3)


def test_the_double_takes_what_the_op_takes() -> None:
    double, op = (inspect.signature(f).parameters.values() for f in (cudnn_rnn_v3, tf.raw_ops.CudnnRNNV3))
    assert [(p.name, p.default) for p in double] == [(p.name, p.default) for p in op]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_outputs_and_gradients(case: Case) -> None:
    for name, found, expected in case.compare():
        assert difference(found, expected) < 2e-6, name
