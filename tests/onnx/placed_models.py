"""Small models, each for one rule of where onnxruntime's CUDA provider puts nodes, as onnx's parser reads them.

A name in brackets is a node's, with ``__`` for the slash behind its layer.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["parsed", "placed_models"]

_HEAD = '<ir_version: {ir}, opset_import: ["" : {opset}, "com.microsoft" : 1]>'

#: Nodes that read lengths, as models of sequences have them: a mask and a shape that come from the host.
_MASK = """
g (float[B, T, F] x, int64[B] n) => (float[B, T, F] y) {
  [a__Shape] shape = Shape <start = 1, end = 2> (x)
  [a__Squeeze] extent = Squeeze (shape, zero)
  [a__Range] at = Range (none, extent, one)
  [a__Unsqueeze] column = Unsqueeze (n, last)
  [a__Less] mask = Less (at, column)
  [a__Unsqueeze_1] full = Unsqueeze (mask, two)
  [a__Where] valid = Where (full, x, nothing)
  [b__Greater] some = Greater (extent, none)
  [b__Not] empty = Not (some)
  [b__Where] y = Where (empty, x, valid)
}"""

_LSTM = """
g (float[T, B, 3] x, int32[B] n) => (float[T, 1, B, 4] y) {{
  [a__Tanh] h = Tanh (x)
  [a__LSTM] r = LSTM <hidden_size = 4{attributes}> (h, W, R, B, n{more})
  [a__Relu] y = Relu (r)
}}"""

_GRU = """
g (float[T, B, 3] x, int32[B] n) => (float[T, 1, B, 4] y) {{
  [a__Tanh] h = Tanh (x)
  [a__GRU] r = GRU <hidden_size = 4, linear_before_reset = {reset}> (h, W, R, B, n)
  [a__Relu] y = Relu (r)
}}"""

#: Shape arithmetic with a constant of some entries, and the result read on the device.
_CONSTANT = """
g ({dtype}[N] x) => ({dtype}[M] y, int64[K] z) {{
  [a__Shape] shape = Shape (x)
  [a__Mul] z = Mul (shape, many)
  [a__Slice] one = Slice (z, zero, first)
  [a__Expand] wide = Expand (x, one)
  [a__Relu] y = Relu (wide)
}}"""

_HALF = """
g (float16[N] x) => (float16[N] y) {
  [a__Shape] shape = Shape (x)
  [a__Cast] size = Cast <to = 10> (shape)
  [a__Sqrt] root = Sqrt (size)
  [a__Div] y = Div (x, root)
}"""

_FLOAT = """
g (float[N] x) => (float[N] y, float[N] z) {
  [a__Shape] shape = Shape (x)
  [a__Cast] size = Cast <to = 1> (shape)
  [a__Sqrt] root = Sqrt (size)
  [a__Div] y = Div (x, root)
  [b__Mul] z = Mul (x, root)
}"""

#: A body that reads a value from outside on both sides, and its own input on both.
_LOOP = """
g (float[N] x, int64 n) => (float[N] y) {
  [a__Relu] r = Relu (x)
  [a__Size] outer = Size (r)
  [a__Loop] y = Loop (n, yes, r) <body = step (int64 i, bool c, float[N] state) => (bool go, float[N] next) {
    [a__body__Shape] s = Shape (state)
    [a__body__Mul] twice = Mul (s, i)
    [a__body__Expand] wide = Expand (state, s)
    [a__body__Cast] scale = Cast <to = 1> (i)
    [a__body__Mul_1] scaled = Mul (wide, scale)
    [a__body__Cast_1] more = Cast <to = 1> (twice)
    [a__body__Add] next = Add (scaled, more)
    [a__body__Less] go = Less (i, outer)
  }>
}"""

_IF = """
g (float[N] x) => (float[N] y) {
  [a__ReduceSum] total = ReduceSum <keepdims = 0> (x)
  [a__Greater] large = Greater (total, limit)
  [a__If] y = If (large) <
    then_branch = high () => (float[N] t) { [a__then__Relu] t = Relu (x) },
    else_branch = low () => (float[N] e) { [a__else__Atan] d = Atan (x)  [a__else__Mul] e = Mul (x, d) }
  >
}"""

_OPSET = """
g (float[B, C, T] x) => (float[B, C, T] y) {
  [a__Tanh] h = Tanh (x)
  [a__Elu] e = Elu (h)
  [b__Selu] s = Selu (e)
  [c__MaxPool] m = MaxPool <kernel_shape = [1]> (s)
  [d__InstanceNormalization] i = InstanceNormalization (m, scale, scale)
  [e__Relu] y = Relu (i)
}"""

_INTEGERS = """
g (float[N] x, int64[N] n) => (int64[M] y, int64[N] z, int64 w) {
  [a__Cast] c = Cast <to = 7> (x)
  [a__Add] s = Add (c, n)
  [a__Pad] y = Pad (s, sides, none)
  [b__Mul] z = Mul (s, n)
  [b__ArgMax] w = ArgMax <keepdims = 0> (z)
}"""

_TRANSPOSED = """
g (float[B, 3, T] x) => (float[B, 2, S] y) {{
  [a__Relu] r = Relu (x)
  [a__ConvTranspose] t = ConvTranspose <pads = [{pads}]> (r, kernel)
  [a__Tanh] y = Tanh (t)
}}"""

_ATTENTION = """
g (float[B, T, 8] x, int32[B] n) => (float[B, T, 8] y) {
  [a__Relu] q = Relu (x)
  [a__MultiHeadAttention] m = com.microsoft.MultiHeadAttention <num_heads = 2> (q, q, q, , n)
  [a__QuickGelu] y = com.microsoft.QuickGelu (m)
}"""


def placed_models() -> dict[str, tuple[str, int]]:
    """Text and opset of each model by name."""
    return {
        "mask": (_MASK, 21),
        "lstm": (_LSTM.format(attributes="", more=""), 21),
        "lstm_newer": (_LSTM.format(attributes="", more=""), 22),
        "lstm_clip": (_LSTM.format(attributes=", clip = 3.0", more=""), 21),
        "lstm_relu": (_LSTM.format(attributes=', activations = ["Sigmoid", "Tanh", "Relu"]', more=""), 21),
        "lstm_names": (_LSTM.format(attributes=', activations = ["Sigmoid", "Tanh", "Tanh"]', more=""), 21),
        "lstm_coupled": (_LSTM.format(attributes=", input_forget = 1", more=""), 21),
        "lstm_peepholes": (_LSTM.format(attributes="", more=", , , P"), 21),
        "gru_before": (_GRU.format(reset=1), 21),
        "gru_after": (_GRU.format(reset=0), 21),
        "small_constant": (_CONSTANT.format(dtype="float"), 21),
        "large_constant": (_CONSTANT.format(dtype="float"), 21),
        "half": (_HALF, 21),
        "float": (_FLOAT, 21),
        "loop": (_LOOP, 21),
        "if": (_IF, 21),
        "opset_21": (_OPSET, 21),
        "opset_22": (_OPSET, 22),
        "integers": (_INTEGERS, 21),
        "transposed": (_TRANSPOSED.format(pads="1, 1"), 21),
        "transposed_uneven": (_TRANSPOSED.format(pads="1, 0"), 21),
        "contrib": (_ATTENTION, 21),
    }


def parsed(name: str) -> Any:
    """One of the models as ``onnx.ModelProto``; names that no node makes are constants."""
    import onnx

    text, opset = placed_models()[name]
    model = onnx.parser.parse_model(_HEAD.format(ir=10, opset=opset) + text)
    model.graph.initializer.extend(_constants(name))
    _name_nodes(model.graph)
    return model


def _name_nodes(graph: Any) -> None:
    for node in graph.node:
        node.name = node.name.replace("__", "/")
        for attribute in node.attribute:
            _name_nodes(attribute.g)


def _constants(name: str) -> list[Any]:
    import numpy as np
    from onnx import numpy_helper

    gates = 3 if name.startswith("gru") else 4
    many = 101 if name == "large_constant" else 100
    values = {
        "none": np.zeros((), "int64"),
        "one": np.ones((), "int64"),
        "zero": np.zeros(1, "int64"),
        "first": np.ones(1, "int64"),
        "last": np.array([-1], "int64"),
        "two": np.array([2], "int64"),
        "sides": np.ones(2, "int64"),
        "many": np.ones(many, "int64"),
        "nothing": np.zeros((), "float32"),
        "limit": np.ones((), "float32"),
        "yes": np.ones((), "bool"),
        "scale": np.ones(3, "float32"),
        "kernel": np.ones((3, 2, 3), "float32"),
        "W": np.ones((1, gates * 4, 3), "float32"),
        "R": np.ones((1, gates * 4, 4), "float32"),
        "B": np.ones((1, gates * 8), "float32"),
        "P": np.ones((1, 12), "float32"),
    }
    text = placed_models()[name][0]
    wanted = set(re.findall(r"\w+", text)) - set(re.findall(r"(\w+) = [A-Z]", text))
    return [numpy_helper.from_array(value, held) for held, value in values.items() if held in wanted]
