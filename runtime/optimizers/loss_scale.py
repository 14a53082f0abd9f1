"""Loss scaling (Micikevicius et al., arXiv:1710.03740), without which most gradients in float16 would be zero.

The loss is multiplied before it is differentiated, its gradients are divided, in float32, before anything looks at
them. Where one is not finite, the step changes no variable and the factor becomes smaller; after many good steps it
becomes larger. bfloat16 has the exponents of float32 and needs none of this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from returnn_ir.config.read import place_of, read_config, read_option
from returnn_ir.errors import ConfigError, DataError
from returnn_ir.ir.graph import Graph, Node
from returnn_ir.options import Described, Positive, Range, Size

__all__ = ["LossScale", "LossScaleOptions", "check_scalable"]

Tensor: TypeAlias = Any  # TensorFlow has no type information
Variable: TypeAlias = Any

#: Below, the gradient of the loss itself is no number of float16.
_SMALLEST = 2.0**-14


@dataclass(frozen=True, kw_only=True)
class LossScaleOptions:
    """RETURNN's ``grad_scaler``, the options of PyTorch's ``GradScaler``.

    Attributes:
        init_scale: the factor of the first step.
        growth_factor: by which it becomes larger.
        backoff_factor: by which it becomes smaller, where a gradient is not finite.
        growth_interval: the steps without such a gradient, one after another, that make it larger.
        enabled: whether losses are scaled at all.
    """

    init_scale: Positive = 2.0**15
    growth_factor: Annotated[float, Range(1, 2.0**10)] = 2.0
    backoff_factor: Annotated[float, Range(0, 1, above=True, below=True)] = 0.5
    growth_interval: Size = 2000
    enabled: bool = True

    @staticmethod
    def from_config(config: Mapping[str, object]) -> LossScaleOptions:
        """Read the options; ``grad_scaler = None`` is none, as in RETURNN, and without the key there is one.

        Raises:
            ConfigError: an option that is wrong.
            ProblemList: several.
        """
        given = read_config(_Keys, config).grad_scaler
        if given is None:
            return LossScaleOptions(enabled="grad_scaler" not in config)
        return read_option(LossScaleOptions, config, "grad_scaler", given, owner="grad_scaler")


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """The key of the config.

    Attributes:
        grad_scaler: how losses are scaled.
    """

    grad_scaler: Annotated[Mapping[str, Any] | None, Described('a dict such as {"init_scale": 1024.0}, or None')] = None


class LossScale:
    """The factor of one training, which its steps change.

    Attributes:
        skipped: the steps that have changed no variable, so far in this process.
    """

    def __init__(self, options: LossScaleOptions) -> None:
        import tensorflow as tf

        self.options = options
        self._scale: Variable = tf.Variable(options.init_scale, dtype=tf.float32, trainable=False)
        self._good: Variable = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._skipped: Variable = tf.Variable(0, dtype=tf.int64, trainable=False)

    @property
    def skipped(self) -> int:
        """See the class."""
        return int(self._skipped.numpy())

    @property
    def value(self) -> float:
        """The factor of the next step."""
        return float(self._scale.numpy())

    def state(self) -> dict[str, Variable]:
        """What a resumed training goes on with, by name."""
        return {"loss_scale": self._scale, "loss_scale/good_steps": self._good}

    def check(self) -> None:
        """Refuse to go on where no factor helps."""
        if self.value < _SMALLEST:
            raise DataError(
                "the gradients are not finite, whatever the loss is multiplied by",
                received=f"{self.skipped} skipped steps, loss scale {self.value:g}",
                hint='mixed_precision = "bfloat16", which has larger numbers; or a lower learning rate',
            )

    # ---------------------------------------------------------------- in a step

    def factor(self) -> Tensor:
        """What the loss is multiplied by in this step, a float32 scalar."""
        return self._scale.read_value()

    def unscaled(self, gradients: Mapping[str, Tensor], factor: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """The gradients of the loss itself from those of ``factor`` times it; whether all of them are finite."""
        import tensorflow as tf

        found: dict[str, Tensor] = {}
        finite = [tf.constant(True)]
        for name, gradient in gradients.items():
            rows = isinstance(gradient, tf.IndexedSlices)
            entries = gradient.values if rows else gradient
            finite.append(tf.reduce_all(tf.math.is_finite(entries)))
            entries = entries / tf.cast(factor, entries.dtype)
            found[name] = tf.IndexedSlices(entries, gradient.indices, gradient.dense_shape) if rows else entries
        return found, tf.reduce_all(tf.stack(finite))

    def update(self, usable: Tensor) -> None:
        """Change the factor behind a step; ``usable``: all of its gradients were finite."""
        import tensorflow as tf

        options, good = self.options, tf.where(usable, self._good + 1, tf.constant(0, tf.int64))
        grows = good >= options.growth_interval
        by = tf.where(usable, tf.where(grows, options.growth_factor, 1.0), options.backoff_factor)
        self._scale.assign(self._scale * by)
        self._good.assign(tf.where(grows, tf.constant(0, tf.int64), good))
        self._skipped.assign_add(tf.where(usable, tf.constant(0, tf.int64), tf.constant(1, tf.int64)))


def check_scalable(graph: Graph, config: Mapping[str, object], *, second_order: bool) -> None:
    """Refuse what speaks of a gradient's size while it is a multiple of what it will be.

    Args:
        second_order: gradients of gradients are asked for (``maximize_grad_norm``).

    Raises:
        ConfigError: with the layer.
    """
    hint = 'mixed_precision = "bfloat16", which needs no loss scale, or grad_scaler = None'
    if second_order:
        raise ConfigError(
            "maximize_grad_norm does not go with the loss scale of float16",
            where=place_of(config, "maximize_grad_norm"),
            hint=hint,
        )
    for node in graph.body.walk():
        if _has_absolute_gradient(node):
            raise ConfigError(
                "this layer compares its gradient with a number, or adds one; here it is multiplied by the loss scale",
                where=node.origin,
                hint=hint,
            )


def _has_absolute_gradient(node: Node) -> bool:
    if node.op.name == "filter_gradient":
        return True
    if node.op.name == "scale_gradient":
        return bool(node.attrs["shift"])
    return node.op.name == "adjust_gradient" and node.attrs["sum_over"] is None and not _is_zero(node.operand("shift"))


def _is_zero(value: Any) -> bool:
    made = value.node
    return made is not None and made.op.name == "const" and not made.attrs["dims"] and made.attrs["value"] == 0
