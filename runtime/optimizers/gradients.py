"""What happens to gradients before the update, in RETURNN's order.

noise → clip by value → clip by norm → clip by average norm → clip by global norm → NaN and infinity to zero →
zero where the global norm is too high. The global norm is that of the gradients as they come in, before all this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from runtime.options import OptionReader

__all__ = ["GradientOptions", "process_gradients"]

Tensor: TypeAlias = Any  # TensorFlow has no type information


@dataclass(frozen=True)
class GradientOptions:
    """Gradient processing; zero means off."""

    noise: float = 0.0  # gradient_noise: standard deviation of a truncated normal distribution
    clip: float = 0.0  # gradient_clip
    clip_norm: float = 0.0  # gradient_clip_norm, per variable
    clip_average_norm: float = 0.0  # gradient_clip_avg_norm, per variable: norm by number of entries
    clip_global_norm: float = 0.0  # gradient_clip_global_norm
    filter_nonfinite: bool = False  # gradient_nan_inf_filter
    zero_above_global_norm: float = 0.0  # grad_norm_to_clip_to_zero
    seed: int = 0  # random_seed, of the noise

    @staticmethod
    def from_config(config: Mapping[str, object]) -> GradientOptions:
        """Parse ``config``."""
        reader = OptionReader(config)
        return GradientOptions(
            noise=reader.non_negative("gradient_noise", 0.0),
            clip=reader.non_negative("gradient_clip", 0.0),
            clip_norm=reader.non_negative("gradient_clip_norm", 0.0),
            clip_average_norm=reader.non_negative("gradient_clip_avg_norm", 0.0),
            clip_global_norm=reader.non_negative("gradient_clip_global_norm", 0.0),
            filter_nonfinite=reader.flag("gradient_nan_inf_filter", False),
            zero_above_global_norm=reader.non_negative("grad_norm_to_clip_to_zero", 0.0),
            seed=reader.integer("random_seed", 42),
        )

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
