"""Ops that a config brings as C++ code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.tensorflow.python_code.native_ops import OpCodeCompiler
from returnn_ir.errors import ConfigError

CODE = """
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
using namespace tensorflow;
REGISTER_OP("ReturnnIrTwice").Input("x: float").Output("y: float");
class ReturnnIrTwice : public OpKernel {
 public:
  using OpKernel::OpKernel;
  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    Tensor* y;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &y));
    for (int i = 0; i < x.NumElements(); ++i) y->flat<float>()(i) = 2 * x.flat<float>()(i);
  }
};
REGISTER_KERNEL_BUILDER(Name("ReturnnIrTwice").Device(DEVICE_CPU), ReturnnIrTwice);
"""


def test_an_op_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compiler = OpCodeCompiler(base_name="Twice", code_version=1, code=CODE, use_cuda_if_available=False)
    np.testing.assert_array_equal(compiler.load_tf_module().returnn_ir_twice([1.0, 2.5]), [2.0, 5.0])
    (library,) = (tmp_path / "returnn-ir" / "ops").iterdir()
    assert library.parent.stat().st_mode & 0o077 == 0
    monkeypatch.setenv("CXX", "/nowhere/no-compiler")
    again = OpCodeCompiler(base_name="Twice", code=CODE).load_tf_module()
    np.testing.assert_array_equal(again.returnn_ir_twice([3.0]), [6.0])


def test_what_does_not_compile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match=r"the C\+\+ code of the op 'Broken' does not compile with TensorFlow 2"):
        OpCodeCompiler(base_name="Broken", code="int f() { return unknown; }").load_tf_module()
    assert list((tmp_path / "returnn-ir" / "ops").iterdir()) == []
    monkeypatch.setenv("CXX", "/nowhere/no-compiler")
    with pytest.raises(ConfigError, match="there is no compiler for it"):
        OpCodeCompiler(base_name="Broken", code="int f();").load_tf_module()


@pytest.mark.parametrize("options", [{"is_cpp": False}, {"nvcc": True}])
def test_what_is_not_there(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="OpCodeCompiler is called with what it does not have here"):
        OpCodeCompiler(base_name="x", code="", **options)
