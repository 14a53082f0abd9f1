"""Element types: ONNX's numbers for them, and which of them onnxruntime's kernels take."""

from __future__ import annotations

__all__ = ["CODES", "carrier", "supported"]

#: ``TensorProto.DataType`` by NumPy's name; complex numbers have no kernels at all.
CODES: dict[str, int] = {
    "float32": 1,
    "uint8": 2,
    "int8": 3,
    "uint16": 4,
    "int16": 5,
    "int32": 6,
    "int64": 7,
    "bool": 9,
    "float16": 10,
    "float64": 11,
}

_FLOAT = frozenset({"float16", "float32", "float64"})
_WIDE = _FLOAT | {"int32", "int64"}
_BYTES = _WIDE | {"int8", "uint8"}
_SMALL = _BYTES | {"int16", "uint16"}

#: What the CPU kernels of onnxruntime 1.31 take at opset 21, found by creating a session for each. An op that is not
#: listed takes everything.
_KERNELS: dict[str, frozenset[str]] = {
    "Neg": _SMALL - {"uint8", "uint16"},
    "Softplus": frozenset({"float16", "float32"}),
    "Erf": frozenset({"float16", "float32"}),
    "Atan": frozenset({"float16", "float32"}),
    "Conv": frozenset({"float16", "float32"}),
    "ConvTranspose": frozenset({"float16", "float32"}),
    "AveragePool": frozenset({"float16", "float32"}),
    "MaxPool": _FLOAT,
    "Elu": frozenset({"float16", "float32"}),
    "Selu": frozenset({"float16", "float32"}),
    "Relu": _FLOAT,
    "Pow": _WIDE,
    "MatMul": _WIDE,
    "CumSum": _WIDE,
    "ReduceSum": _WIDE,
    "ReduceMean": _WIDE,
    "ReduceProd": _WIDE,
    "ReduceLogSumExp": _FLOAT,
    "ReduceMax": _BYTES,
    "ReduceMin": _BYTES,
    "ArgMax": _BYTES,
    "ArgMin": _BYTES,
    "TopK": _BYTES,
    "Max": _BYTES,
    "Min": _BYTES,
    "Where": _BYTES,
    "Pad": _BYTES | {"bool"},
    "Range": _WIDE,
    "ScatterElements": _SMALL - {"float16"},
    **dict.fromkeys(("Exp", "Log", "Sqrt", "Sin", "Cos", "Tanh", "Sigmoid", "Floor", "Ceil", "Round"), _FLOAT),
    **dict.fromkeys(("IsInf", "IsNaN", "Reciprocal", "Softmax", "LogSoftmax", "Gelu", "LSTM", "GRU"), _FLOAT),
    **dict.fromkeys(("Add", "Sub", "Mul", "Div", "Mod", "Abs", "Sign"), _SMALL),
    **dict.fromkeys(("Less", "LessOrEqual", "Greater", "GreaterOrEqual"), _SMALL),
}

#: Types that hold every number of the one on the left, nearest first.
_WIDER: dict[str, tuple[str, ...]] = {
    "bool": ("int32",),
    "int8": ("int32", "int64"),
    "uint8": ("int32", "int64"),
    "int16": ("int32", "int64"),
    "uint16": ("int32", "int64"),
    "float16": ("float32",),
}


def supported(op_type: str, dtype: str) -> bool:
    """Whether a kernel takes the element type itself."""
    return dtype in CODES and dtype in _KERNELS.get(op_type, CODES)


def carrier(op_type: str, dtype: str) -> str | None:
    """The element type to compute in: ``dtype`` where a kernel takes it, else a wider one, else None."""
    if supported(op_type, dtype):
        return dtype
    return next((wide for wide in _WIDER.get(dtype, ()) if supported(op_type, wide)), None)
