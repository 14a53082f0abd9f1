"""Numbers in one base, to be written in another one. Draws follow RETURNN's TaskNumberBaseConvertDataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from returnn_ir.errors import ConfigError
from returnn_ir.options import Range, Size
from runtime.datasets.base import Array
from runtime.datasets.generating import GeneratedOptions, Random, Task, generated, sparse_spec

__all__ = ["NumberBaseConvert", "NumberBaseConvertOptions"]

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_Base = Annotated[int, Range(2, len(_DIGITS))]


@dataclass(frozen=True, kw_only=True)
class NumberBaseConvertOptions(GeneratedOptions):
    """Options of ``TaskNumberBaseConvertDataset``.

    Attributes:
        input_base: of "data".
        output_base: of "classes".
        min_input_seq_len: digits of a number, at least.
        max_input_seq_len: digits of a number, at most.
    """

    input_base: _Base = 8
    output_base: _Base = 2
    min_input_seq_len: Size = 1
    max_input_seq_len: Size = 8

    def __post_init__(self) -> None:
        """Check values."""
        super().__post_init__()
        if self.min_input_seq_len > self.max_input_seq_len:
            raise ConfigError(
                "min_input_seq_len is above max_input_seq_len",
                expected=f"at most {self.max_input_seq_len}",
                received=self.min_input_seq_len,
            )


@generated("TaskNumberBaseConvertDataset", options=NumberBaseConvertOptions)
class NumberBaseConvert(Task):
    """The digits of the same number, ``[T]`` each: "data" in one base, "classes" in the other."""

    def __init__(self, options: NumberBaseConvertOptions) -> None:
        self._options = options
        self.specs = {
            "data": sparse_spec(options.input_base, labels=_DIGITS[: options.input_base]),
            "classes": sparse_spec(options.output_base, labels=_DIGITS[: options.output_base]),
        }

    def generate(self, random: Random, index: int, epoch: int) -> dict[str, Array]:
        """Random digits, and the number anew."""
        options, number = self._options, 0
        count = random.randint(options.min_input_seq_len, options.max_input_seq_len + 1)
        digits = [int(random.randint(0, options.input_base)) for _ in range(count)]
        for digit in digits:
            number = number * options.input_base + digit
        converted = [number % options.output_base]
        while number := number // options.output_base:
            converted.append(number % options.output_base)
        return {"data": np.array(digits, np.int64), "classes": np.array(converted[::-1], np.int64)}
