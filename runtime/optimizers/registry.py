"""The registry of optimizers: ``@optimizer("adam", options=AdamOptions)`` above one function per update rule."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

from returnn_ir.errors import IRError
from returnn_ir.options import Key
from returnn_ir.registry import import_modules

__all__ = [
    "EPSILON",
    "OptimizerOptions",
    "OptimizerSpec",
    "Rows",
    "find_optimizer",
    "optimizer",
    "optimizer_names",
    "why_not_built",
]

EPSILON = 1e-16  # RETURNN's default for every rule that has one, far below TensorFlow's 1e-8


@dataclass(frozen=True, kw_only=True)
class OptimizerOptions:
    """What every optimizer takes.

    Options of the names ``epsilon`` and ``momentum`` have another default where the config has ``optimizer_epsilon`` or
    ``momentum``.

    Attributes:
        kind: the class, in any case, with or without ``Optimizer`` behind.
        learning_rate_multiplier: for this optimizer's updates.
        name: of the slots in a checkpoint, instead of TensorFlow's name of the class.
        use_locking: without effect, one process updates the variables.
    """

    kind: Annotated[str, Key("class")]
    learning_rate_multiplier: float = 1.0
    name: str | None = None
    use_locking: Any = None


class Rows(Enum):
    """How a rule takes the gradient of an embedding, which is that of the rows that a batch uses."""

    #: made dense: the rows without a gradient move on, too
    DENSE = "dense"
    #: each row once, with the sum of its gradients: what TensorFlow does unless a rule says otherwise
    SUMMED = "summed"
    #: a row comes as often as the batch uses it
    GIVEN = "given"


@dataclass(frozen=True)
class OptimizerSpec:
    """An optimizer.

    Attributes:
        name: in a config, in small letters.
        options: the dataclass of what it takes.
        update: the update rule: (:class:`runtime.optimizers.update.Update`, options) -> None.
        slot_name: TensorFlow's name of the class: ``optimize/lin/W/Adam``, ``optimize/lin/W/Adam_1`` are slots of it.
        slots: options -> what every entry of a variable's slots is at the start, in the order of the slots' names.
        powers: options that a checkpoint has to the power of the steps: ``optimize/beta1_power``.
        rows: how it takes the gradient of an embedding.
    """

    name: str
    options: type[OptimizerOptions]
    update: Callable[[Any, Any], None]
    slot_name: str
    slots: Callable[[Any], Sequence[float]]
    powers: tuple[str, ...]
    rows: Rows


_KERAS = "RETURNN has it from Keras, whose optimizers it cannot run with today's TensorFlow; it is not built here"
_CONTRIB = "RETURNN has it from TensorFlow 1's contrib.opt; it is not built here"
_FROM_KERAS = ("adafactor", "lamb", "lion", "lossscale", "multi", "muon", "nadamkeras", "schedulefreeadamw")
_FROM_CONTRIB = (
    "addsign", "agn", "dropstalegradient", "elasticaverage", "ggt", "lars", "lazyadam", "modelaverage", "momentumw",
    "movingaverage", "multitaskwrapper", "powersign", "regadagrad", "shampoo", "variableclipping",
)  # fmt: skip

#: What else RETURNN finds an optimizer for, in small letters.
_NOT_BUILT: Mapping[str, str] = {
    **dict.fromkeys(_FROM_KERAS, _KERAS),
    **dict.fromkeys(_FROM_CONTRIB, _CONTRIB),
    "adagradda": "RETURNN does not give it the global step that it needs, and ends",
    "basecustom": "in RETURNN it is what other optimizers are made of",
    "syncreplicas": "it is for several machines, and RETURNN does not give it the optimizer that it needs",
}

_OPTIMIZERS: dict[str, OptimizerSpec] = {}


def optimizer(
    name: str,
    *,
    options: type[OptimizerOptions],
    slot_name: str,
    slots: Callable[[Any], Sequence[float]] = lambda opt: (),
    powers: tuple[str, ...] = (),
    rows: Rows = Rows.SUMMED,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register an update rule under its class name (see :class:`OptimizerSpec`)."""

    def add(update: Callable[..., None]) -> Callable[..., None]:
        if name in _OPTIMIZERS:
            raise IRError(f"optimizer {name!r} is registered twice")
        _OPTIMIZERS[name] = OptimizerSpec(name, options, update, slot_name, slots, powers, rows)
        return update

    return add


def find_optimizer(name: str) -> OptimizerSpec | None:
    """The optimizer of a class name, in any case, with or without ``Optimizer`` behind."""
    return _all().get(name.lower().removesuffix("optimizer"))


def why_not_built(name: str) -> str | None:
    """Why an optimizer that RETURNN knows is not here; None for a name that it does not know."""
    return _NOT_BUILT.get(name.lower().removesuffix("optimizer"))


def optimizer_names() -> list[str]:
    """All class names, sorted."""
    return sorted(_all())


@functools.cache
def _all() -> Mapping[str, OptimizerSpec]:
    """Every optimizer: importing the modules in their folder registers them."""
    import_modules("runtime.optimizers.rules")
    return _OPTIMIZERS
