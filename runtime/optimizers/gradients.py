"""What happens to gradients before the update, in RETURNN's order.

sum over steps → noise → clip by value → clip by norm → clip by average norm → clip by global norm → NaN and infinity to
zero → zero where the global norm is too high. The global norm is that of one step's gradients as they come in, before
all this.

The gradient of an embedding comes as rows and their indices (``tf.IndexedSlices``), as in RETURNN. It stays so unless
noise, the average norm or the zero of a high norm make it dense; norms and bounds then are those of the single rows: a
row that a batch uses twice has two.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from returnn_ir.config.read import read_config
from returnn_ir.options import Count, Key, NonNegative, ZeroOrMore

__all__ = ["GradientOptions", "GradientProcessing", "Norms"]

Tensor: TypeAlias = Any  # TensorFlow has no type information


@dataclass(frozen=True, kw_only=True)
class GradientOptions:
    """Gradient processing of one variable; zero means off.

    Attributes:
        sum_over: the number of steps whose gradients are summed for one update, 0 and 1: each step is one.
        maximize_norm: the share of the gradient of the global norm that is subtracted.
        noise: standard deviation of a truncated normal distribution that is added.
        clip: the largest absolute value of an entry.
        clip_norm: the largest norm of a variable's gradient.
        clip_average_norm: the largest norm by number of entries of a variable's gradient.
        clip_global_norm: the largest norm of all gradients together.
        filter_nonfinite: entries that are NaN or infinite become zero.
        zero_above_global_norm: all gradients become zero where their norm is larger.
        global_norm_tag: the global norm is that of the variables with this tag; none: of all.
        clip_global_norm_tag: the same for clipping; none: as ``global_norm_tag``.
    """

    sum_over: Annotated[Count, Key("accum_grad_multiple_step")] = 0
    maximize_norm: Annotated[NonNegative, Key("maximize_grad_norm")] = 0.0
    noise: Annotated[ZeroOrMore, Key("gradient_noise")] = 0.0
    clip: Annotated[ZeroOrMore, Key("gradient_clip")] = 0.0
    clip_norm: Annotated[ZeroOrMore, Key("gradient_clip_norm")] = 0.0
    clip_average_norm: Annotated[ZeroOrMore, Key("gradient_clip_avg_norm")] = 0.0
    clip_global_norm: Annotated[ZeroOrMore, Key("gradient_clip_global_norm")] = 0.0
    filter_nonfinite: Annotated[bool, Key("gradient_nan_inf_filter")] = False
    zero_above_global_norm: Annotated[ZeroOrMore, Key("grad_norm_to_clip_to_zero")] = 0.0
    global_norm_tag: str | None = None
    clip_global_norm_tag: Annotated[str | None, Key("gradient_clip_global_norm_tag")] = None

    @staticmethod
    def from_config(config: Mapping[str, object]) -> GradientOptions:
        """Read the options; a UserError tells everything that is wrong."""
        return read_config(GradientOptions, config)

    @property
    def clip_tag(self) -> str | None:
        """Whose global norm is clipped by."""
        return self.clip_global_norm_tag or self.global_norm_tag or None

    @property
    def zero_tag(self) -> str | None:
        """Whose global norm has to be small."""
        return self.global_norm_tag or None

    @property
    def norm_tags(self) -> set[str | None]:
        """The tags whose global norms are asked for; None: that of all gradients."""
        clipped = {self.clip_tag} if self.clip_global_norm else set()
        return clipped | ({self.zero_tag} if self.zero_above_global_norm else set())


class Norms:
    """Global norms of one step's gradients, by the tag of the variables that they are of; None: all of them."""

    def __init__(self, grads: Mapping[str, Tensor], tags: Mapping[str, Set[str]], wanted: Set[str | None]) -> None:
        import tensorflow as tf

        self._norms: dict[str | None, Tensor] = {}
        for tag in wanted:
            tagged = [grad for name, grad in grads.items() if tag is None or tag in tags[name]]
            self._norms[tag] = tf.linalg.global_norm(tagged) if tagged else tf.constant(0.0)

    def of(self, tag: str | None) -> Tensor:
        """The norm, a scalar."""
        return self._norms[tag]


@dataclass(frozen=True)
class GradientProcessing:
    """What one step does to a gradient after the sum over steps.

    Attributes:
        norms: of the step's gradients.
        seed: of the noise, any whole number.
        step: the global step, int64 scalar; it makes the noise of each step another one. None where there is none.
    """

    norms: Norms
    seed: int
    step: Tensor | None

    def __call__(self, options: GradientOptions, grad: Tensor, index: int) -> Tensor:
        """The gradient for the update.

        Args:
            index: of the variable, which makes its noise another one.
        """
        import tensorflow as tf

        if options.noise:
            grad = self._with_noise(options.noise, tf.convert_to_tensor(grad), index)
        grad = self._clipped(options, grad)
        if options.filter_nonfinite:
            grad = _of_entries(grad, lambda x: tf.where(tf.math.is_finite(x), x, tf.zeros_like(x)))
        if options.zero_above_global_norm:
            norm, grad = self.norms.of(options.zero_tag), tf.convert_to_tensor(grad)
            usable = tf.math.is_finite(norm) & (norm <= options.zero_above_global_norm)
            grad = tf.where(usable, grad, tf.zeros_like(grad))
        return grad

    def _with_noise(self, deviation: float, grad: Tensor, index: int) -> Tensor:
        import tensorflow as tf

        if self.step is None:
            raise ValueError("gradient_noise needs the global step")
        own = (self.seed * 10007 + index) % (1 << 63)
        seed = tf.stack([tf.constant(own, tf.int64), tf.cast(self.step, tf.int64)])
        return grad + tf.random.stateless_truncated_normal(tf.shape(grad), seed, 0.0, deviation, grad.dtype)

    def _clipped(self, options: GradientOptions, grad: Tensor) -> Tensor:
        import tensorflow as tf

        if options.clip:
            grad = tf.clip_by_value(grad, -options.clip, options.clip)
        if options.clip_norm:
            grad = tf.clip_by_norm(grad, options.clip_norm)
        if options.clip_average_norm:
            # Like clip_by_norm with the bound clip_average_norm * size.
            grad = tf.convert_to_tensor(grad)
            inverse_mean = tf.cast(tf.size(grad), grad.dtype) * tf.math.rsqrt(tf.reduce_sum(grad * grad))
            grad = grad * (options.clip_average_norm * tf.minimum(inverse_mean, 1.0 / options.clip_average_norm))
        if options.clip_global_norm:
            norm = self.norms.of(options.clip_tag)
            (grad,), _ = tf.clip_by_global_norm([grad], options.clip_global_norm, use_norm=norm)
        return grad


def _of_entries(grad: Tensor, f: Any) -> Tensor:
    """A function of single entries, of a dense gradient or of one that comes as rows."""
    import tensorflow as tf

    if isinstance(grad, tf.IndexedSlices):
        return tf.IndexedSlices(f(grad.values), grad.indices, grad.dense_shape)
    return f(grad)
