"""What a TensorFlow program is going to run on, which decides what kernels it may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from returnn_ir.errors import TargetError, did_you_mean
from returnn_ir.options import Described, Form

__all__ = ["DEVICES", "Device", "GivenDevice"]

#: The config's ``device``.
GivenDevice = Annotated[
    Literal["cpu", "gpu"],
    Form(lambda given: given or "gpu"),
    Described("'cpu', or 'gpu': a GPU where there is one"),
]

#: Where a program runs. One for ``both`` is taken to machines with a GPU and to those without, as a SavedModel is.
DEVICES = ("cpu", "gpu", "both")


@dataclass(frozen=True)
class Device:
    """What a program is made for.

    Attributes:
        kind: one of :data:`DEVICES`.
        deterministic: the same batch gives the same bits again.
    """

    kind: str = "cpu"
    deterministic: bool = False

    @staticmethod
    def of(kind: str | None, *, deterministic: bool = False) -> Device:
        """A device by name; without one, what TensorFlow computes on in this process.

        Args:
            deterministic: asked for by the config; TensorFlow's own switch asks for it, too.

        Raises:
            TargetError: no such device.
        """
        if kind is not None and kind not in DEVICES:
            hint = did_you_mean(str(kind), DEVICES)
            raise TargetError(f"unknown device {kind!r}", expected=", ".join(DEVICES), hint=hint)
        return Device(kind or _listed(), deterministic or _is_determinism_enabled())

    @property
    def steps_at_once(self) -> int:
        """How many steps are one turn of a loop that is known to have enough of them.

        A turn costs three ops for every tensor that goes through it or into it, a few microseconds each on a GPU, where
        a product of a step takes no longer. A CPU has better things to do.
        """
        return 4 if self.kind == "gpu" else 1

    @property
    def why_not_fewer_ops(self) -> str | None:
        """Why a kernel that is there to be fewer ops has no place here; None where it has."""
        if self.kind == "gpu":
            return None
        return f"the program is for {'a CPU' if self.kind == 'cpu' else 'CPUs, too'}, where its parts are faster"

    @property
    def why_not_cudnn(self) -> str | None:
        """Why there are no kernels of cuDNN here, whatever the op; None where there are."""
        if self.kind == "cpu":
            return "the program is for a CPU"
        if self.kind == "both":
            return "the program is for CPUs, too"
        return "deterministic results are asked for, and its sums have no fixed order" if self.deterministic else None


def _listed() -> str:
    """What TensorFlow lists, without the GPUs that were hidden."""
    import tensorflow as tf

    cuda = tf.sysconfig.get_build_info()["is_cuda_build"]
    return "gpu" if cuda and tf.config.get_visible_devices("GPU") else "cpu"


def _is_determinism_enabled() -> bool:
    """Whether somebody called ``tf.config.experimental.enable_op_determinism``, which has no public counterpart."""
    from tensorflow.python.framework import config

    return bool(config.is_op_determinism_enabled())
