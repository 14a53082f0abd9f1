"""The registry of losses: ``@loss("ce")`` above one function per loss."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from returnn_ir.axes.output import LayerOutput
from returnn_ir.errors import IRError, Origin, UserError
from returnn_ir.ir.graph import Value
from returnn_ir.options import Finite, option_class, read_options
from returnn_ir.registry import import_modules

__all__ = ["LossInput", "LossOptions", "LossResult", "LossSpec", "find_loss", "loss", "loss_names", "read_loss_options"]


@option_class
class LossOptions:
    """What every loss takes in ``loss_opts`` (RETURNN: class Loss).

    Attributes:
        scale: a factor of the loss and of its gradient.
        use_normalized_loss: what is optimised is the mean, not the sum.
        custom_norm_factor: the factor that makes the mean of the sum.
        custom_inv_norm_factor: the layer whose sum divides the loss to make the mean.
        use_flatten_frames: without effect: the valid frames count in any case.
    """

    scale: Finite | None = None
    use_normalized_loss: bool | None = None
    custom_norm_factor: Finite | None = None
    custom_inv_norm_factor: str | None = None
    use_flatten_frames: bool | None = None


Options = TypeVar("Options", bound=LossOptions, covariant=True)


@dataclass(frozen=True)
class LossInput(Generic[Options]):
    """What a loss function gets.

    Attributes:
        output: the layer's output.
        target: the target over the output's dims (its time axis is renamed to the output's), None where none is needed.
        options: ``loss_opts``.
    """

    output: LayerOutput
    target: LayerOutput | None
    options: Options


@dataclass(frozen=True)
class LossResult:
    """What a loss function gives: values per frame or per sequence, not reduced yet (scalars are taken as they are).

    Attributes:
        value: the loss.
        error: the error count.
        norm_factor: what makes a mean of the sum, where that is not 1 / frames.
    """

    value: Value | None
    error: Value | None = None
    norm_factor: Value | None = None


#: (layer builder, what it gets) -> the loss; the builder's class stands above this module.
LossFunction = Callable[[Any, LossInput[Any]], LossResult]


@dataclass(frozen=True)
class LossSpec:
    """A loss.

    Attributes:
        needs_target: whether it compares with a target.
        rename_target_time: whether the target's time axis is the output's (framewise losses).
        extra_labels: how many more labels the output has than the target.
        options: the dataclass of its ``loss_opts``.
        recurrent: it looks at more than one frame at a time, see ``LayerSpec``.
    """

    name: str
    compute: LossFunction
    needs_target: bool
    rename_target_time: bool
    extra_labels: int
    options: type[LossOptions]
    recurrent: bool


_LOSSES: dict[str, LossSpec] = {}


def loss(
    name: str,
    *,
    needs_target: bool = True,
    framewise: bool = True,
    extra_labels: int = 0,
    options: type[LossOptions] = LossOptions,
    recurrent: bool = False,
) -> Callable[[LossFunction], LossFunction]:
    """Register a loss function."""

    def add(compute: LossFunction) -> LossFunction:
        if name in _LOSSES:
            raise IRError(f"loss {name!r} is registered twice")
        _LOSSES[name] = LossSpec(name, compute, needs_target, framewise, extra_labels, options, recurrent)
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
) -> tuple[LossOptions | None, list[UserError]]:
    """The options of a loss, and everything that is wrong with them."""
    return read_options(spec.options, given, lambda key: where, owner=f"loss {spec.name!r}")
