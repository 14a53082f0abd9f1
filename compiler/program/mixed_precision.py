"""``mixed_precision``, and ``tf_amp`` as RETURNN's frontend engine has it: what of a training computes in 16 bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from returnn_ir.config.read import place_of, read_config, read_option
from returnn_ir.errors import ConfigError
from returnn_ir.ir.graph import Graph
from returnn_ir.ir.mode import Mode
from returnn_ir.options import Described

__all__ = ["low_dtype", "training_precision"]

_LowDtype = Literal["bfloat16", "float16"]


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """Keys of the config, which mean the same.

    Attributes:
        mixed_precision: the element type that products compute in while a network is trained; None: float32.
        tf_amp: the same, or a dict with it as ``dtype``.
    """

    mixed_precision: _LowDtype | None = None
    tf_amp: Annotated[
        _LowDtype | Mapping[str, Any] | None, Described("'bfloat16', 'float16' or a dict {\"dtype\": ...}")
    ] = None


@dataclass(frozen=True, kw_only=True)
class _Amp:
    """``tf_amp`` as a dict.

    Attributes:
        dtype: as the key alone.
    """

    dtype: _LowDtype


def training_precision(config: Mapping[str, object], target: str, graph: Graph) -> str | None:
    """The element type of 16 bits that a program's products are to compute in; None: all of it is float32.

    A graph that the config does not change gets a note about it.

    Args:
        config: of the network.
        target: that the program is for.
        graph: as it was constructed.

    Raises:
        ConfigError: a value that is wrong.
        ProblemList: several.
    """
    low = low_dtype(config)
    if low is None:
        return None
    if target == "onnx":
        graph.notes.append(f"mixed_precision: an ONNX file computes in float32, not in {low}")
        return None
    if graph.mode is not Mode.TRAIN:
        graph.notes.append(f"mixed_precision: only training computes in {low}, mode {graph.mode} does in float32")
        return None
    return low


def low_dtype(config: Mapping[str, object]) -> str | None:
    """What a config asks for.

    Raises:
        ConfigError: a value that is wrong.
        ProblemList: several.
    """
    keys = read_config(_Keys, config)
    amp: object = keys.tf_amp
    if isinstance(amp, Mapping):
        amp = read_option(_Amp, config, "tf_amp", amp, owner="tf_amp").dtype
    if None not in (keys.mixed_precision, amp) and keys.mixed_precision != amp:
        raise ConfigError(
            "mixed_precision and tf_amp ask for two element types",
            where=place_of(config, "tf_amp"),
            expected=repr(keys.mixed_precision),
            received=repr(amp),
            hint="leave tf_amp out",
        )
    return keys.mixed_precision or (None if amp is None else str(amp))
