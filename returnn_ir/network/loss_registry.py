"""The registry of losses: ``@loss("ce")`` above one function per loss."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.errors import IRError, Origin, UserError
from returnn_ir.ir.graph import Value
from returnn_ir.options import Finite, read_values
from returnn_ir.registry import import_modules

__all__ = ["LossInput", "LossResult", "LossSpec", "find_loss", "loss", "loss_names", "read_loss_options"]


@dataclass(frozen=True)
class LossInput:
    """What a loss function gets.

    Attributes:
        output: the layer's output.
        target: the target over the output's dims (its time axis is renamed to the output's), None where none is needed.
        options: ``loss_opts`` without the options that every loss has.
    """

    output: LayerOutput
    target: LayerOutput | None
    options: dict[str, Any]


@dataclass(frozen=True)
class LossResult:
    """What a loss function gives: values per frame or per sequence, not reduced yet (scalars are taken as they are).

    Attributes:
        value: the loss.
        error: the error count.
    """

    value: Value | None
    error: Value | None = None


#: (layer builder, what it gets) -> the loss; the builder's class stands above this module.
LossFunction = Callable[[Any, LossInput], LossResult]


@dataclass(frozen=True)
class LossSpec:
    """A loss.

    Attributes:
        needs_target: whether it compares with a target.
        rename_target_time: whether the target's time axis is the output's (framewise losses).
        extra_labels: how many more labels the output has than the target.
        opts: the types of its own options in ``loss_opts``.
    """

    name: str
    compute: LossFunction
    needs_target: bool
    rename_target_time: bool
    extra_labels: int
    opts: Mapping[str, Any]


_LOSSES: dict[str, LossSpec] = {}
_NO_OPTIONS: Mapping[str, Any] = {}

#: What every loss takes (RETURNN: class Loss); ``use_flatten_frames`` has no effect on results.
_COMMON: Mapping[str, Any] = {
    "scale": Finite | None,
    "use_normalized_loss": bool | None,
    "custom_norm_factor": Finite | None,
    "custom_inv_norm_factor": str | None,
    "use_flatten_frames": bool | None,
}


def loss(
    name: str,
    *,
    needs_target: bool = True,
    framewise: bool = True,
    extra_labels: int = 0,
    opts: Mapping[str, Any] = _NO_OPTIONS,
) -> Callable[[LossFunction], LossFunction]:
    """Register a loss function."""

    def add(compute: LossFunction) -> LossFunction:
        if name in _LOSSES:
            raise IRError(f"loss {name!r} is registered twice")
        _LOSSES[name] = LossSpec(name, compute, needs_target, framewise, extra_labels, opts)
        return compute

    return add


def find_loss(name: str) -> LossSpec | None:
    """The loss of that name."""
    return _all().get(name)


def loss_names() -> list[str]:
    """All loss names."""
    return sorted(_all())


@functools.cache
def _all() -> Mapping[str, LossSpec]:
    """Every loss: importing the modules in the folder of losses registers them."""
    import_modules("returnn_ir.losses")
    return _LOSSES


def read_loss_options(
    spec: LossSpec, given: Mapping[Any, object], where: Origin
) -> tuple[dict[str, Any], list[UserError]]:
    """The options of a loss, its own and those of all losses, and everything that is wrong with them."""
    return read_values({**_COMMON, **spec.opts}, given, lambda key: where, owner=f"loss {spec.name!r}")
