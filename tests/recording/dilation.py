"""Static shapes of dilated convolutions, which TensorFlow loses and RETURNN asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

__all__ = ["extent", "keep_static_shapes"]


def extent(size: int, filter_size: int, stride: int, dilation: int, *, same: bool) -> int:
    """How many positions a convolution has along an axis."""
    reach = 0 if same else dilation * (filter_size - 1)
    return (size - reach + stride - 1) // stride


@contextmanager
def keep_static_shapes(nn: Any) -> Iterator[None]:
    """While this is open, ``nn.convolution`` gives the static sizes that follow from its arguments."""
    original = nn.convolution

    def convolution(input: Any, filter: Any, padding: str, **options: Any) -> Any:
        result = original(input, filter=filter, padding=padding, **options)
        if result.shape.rank is not None:
            result.set_shape(_shape(input, filter, padding, result, options))
        return result

    nn.convolution = convolution
    try:
        yield
    finally:
        nn.convolution = original


def _shape(source: Any, weights: Any, padding: str, result: Any, options: dict[str, Any]) -> list[int | None]:
    """The static shape, where the source's is known."""
    count = weights.shape.rank - 2
    first = 2 if str(options.get("data_format") or "").startswith("NC") else 1
    strides = _per_axis(options.get("strides"), count)
    dilations = _per_axis(options.get("dilations") or options.get("dilation_rate"), count)
    shape: list[int | None] = result.shape.as_list()
    for axis in range(count):
        size = source.shape.as_list()[first + axis]
        width = weights.shape.as_list()[axis]
        if size is not None and shape[first + axis] is None:
            shape[first + axis] = extent(size, width, strides[axis], dilations[axis], same=padding.upper() == "SAME")
    return shape


def _per_axis(value: int | Sequence[int] | None, count: int) -> list[int]:
    return [value or 1] * count if isinstance(value, int) or value is None else list(value)
