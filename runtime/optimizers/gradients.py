"""What happens to gradients before the update, in RETURNN's order.

noise → clip by value → clip by norm → clip by average norm → clip by global norm → NaN and infinity to zero →
zero where the global norm is too high. The global norm is that of the gradients as they come in, before all this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from returnn_ir.config.read import read_config
from returnn_ir.options import Key, Range, ZeroOrMore

__all__ = ["GradientOptions", "process_gradients"]

Tensor: TypeAlias = Any  # TensorFlow has no type information


@dataclass(frozen=True, kw_only=True)
class GradientOptions:
    """Gradient processing; zero means off.

    Attributes:
        noise: standard deviation of a truncated normal distribution that is added.
        clip: the largest absolute value of an entry.
        clip_norm: the largest norm of a variable's gradient.
        clip_average_norm: the largest norm by number of entries of a variable's gradient.
        clip_global_norm: the largest norm of all gradients together.
        filter_nonfinite: entries that are NaN or infinite become zero.
        zero_above_global_norm: all gradients become zero where their norm is larger.
        seed: of the noise, any whole number.
    """

    noise: Annotated[ZeroOrMore, Key("gradient_noise")] = 0.0
    clip: Annotated[ZeroOrMore, Key("gradient_clip")] = 0.0
    clip_norm: Annotated[ZeroOrMore, Key("gradient_clip_norm")] = 0.0
    clip_average_norm: Annotated[ZeroOrMore, Key("gradient_clip_avg_norm")] = 0.0
    clip_global_norm: Annotated[ZeroOrMore, Key("gradient_clip_global_norm")] = 0.0
    filter_nonfinite: Annotated[bool, Key("gradient_nan_inf_filter")] = False
    zero_above_global_norm: Annotated[ZeroOrMore, Key("grad_norm_to_clip_to_zero")] = 0.0
    seed: Annotated[int, Range(), Key("random_seed")] = 42

    @staticmethod
    def from_config(config: Mapping[str, object]) -> GradientOptions:
        """Read the options; a UserError tells everything that is wrong."""
        return read_config(GradientOptions, config)

    @property
    def needs_global_norm(self) -> bool:
        """Whether any step looks at all gradients at once."""
        return self.clip_global_norm > 0 or self.zero_above_global_norm > 0


def process_gradients(options: GradientOptions, grads: Mapping[str, Tensor], step: Tensor | None) -> dict[str, Tensor]:
    """The gradients for the update; ``step`` (int64 scalar) makes the noise of each step another one."""
    import tensorflow as tf

    norm = tf.linalg.global_norm(list(grads.values())) if options.needs_global_norm and grads else None
    if options.noise and step is None:
        raise ValueError("gradient_noise needs the global step")
    result = {}
    for index, (name, grad) in enumerate(grads.items()):
        if options.noise:
            own = (options.seed * 10007 + index) % (1 << 63)
            seed = tf.stack([tf.constant(own, tf.int64), tf.cast(step, tf.int64)])
            noise = tf.random.stateless_truncated_normal(tf.shape(grad), seed, 0.0, options.noise, grad.dtype)
            grad = grad + noise
        grad = _clip(options, grad, norm)
        if options.filter_nonfinite:
            grad = tf.where(tf.math.is_finite(grad), grad, tf.zeros_like(grad))
        if options.zero_above_global_norm and norm is not None:
            usable = tf.math.is_finite(norm) & (norm <= options.zero_above_global_norm)
            grad = tf.where(usable, grad, tf.zeros_like(grad))
        result[name] = grad
    return result


def _clip(options: GradientOptions, grad: Tensor, norm: Tensor | None) -> Tensor:
    import tensorflow as tf

    if options.clip:
        grad = tf.clip_by_value(grad, -options.clip, options.clip)
    if options.clip_norm:
        grad = tf.clip_by_norm(grad, options.clip_norm)
    if options.clip_average_norm:
        # Like clip_by_norm with the bound clip_average_norm * size.
        inverse_mean = tf.cast(tf.size(grad), grad.dtype) * tf.math.rsqrt(tf.reduce_sum(grad * grad))
        grad = grad * (options.clip_average_norm * tf.minimum(inverse_mean, 1.0 / options.clip_average_norm))
    if options.clip_global_norm:
        (grad,), _ = tf.clip_by_global_norm([grad], options.clip_global_norm, use_norm=norm)
    return grad
