"""The functions that an expression may call, by their last name: ``tf.math.log`` and ``tf.log`` are one.

Registered functions are compiled. The others that are listed here only a target with Python callbacks computes; a
config that is data has no functions but these two kinds.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from returnn_ir.errors import IRError

if TYPE_CHECKING:
    from returnn_ir.expression.tracer import Tracer

__all__ = [
    "RETURNN_ONLY",
    "TENSORFLOW_ONLY",
    "ExpressionFunction",
    "find_function",
    "function",
    "function_names",
    "tensor_function_names",
]

#: The first argument is the builder, the others are those of the expression.
ExpressionFunction = Callable[..., Any]
F = TypeVar("F", bound=ExpressionFunction)

#: Functions of tensors and numbers without effects that TensorFlow has, and the IR does not.
TENSORFLOW_ONLY = frozenset(
    """
    acosh bessel_i0 bessel_i0e bessel_i1 bessel_i1e betainc crelu cumprod cumulative_logsumexp digamma erfcinv erfinv
    igamma igammac lbeta lgamma log_poisson_loss ndtri nextafter polygamma polyval truncatediv truncatemod xdivy xlog1py
    zero_fraction zeta

    bincount boolean_mask clip_by_norm confusion_matrix count_nonzero depth_to_space dynamic_partition dynamic_stitch
    gather_nd histogram_fixed_width in_top_k invert_permutation matrix_transpose meshgrid pad repeat
    reverse_sequence roll scatter_nd searchsorted segment_max segment_mean segment_min segment_prod segment_sum slice
    sort space_to_depth strided_slice tensor_scatter_nd_add tensor_scatter_nd_update top_k unique unravel_index
    unsorted_segment_max unsorted_segment_mean unsorted_segment_min unsorted_segment_prod unsorted_segment_sum
    weighted_moments

    adjoint band_part cholesky cross det diag diag_part eigh eigvalsh einsum expm inv logdet lu matvec pinv qr set_diag
    slogdet solve svd tensor_diag tensor_diag_part tensordot trace triangular_solve

    avg_pool avg_pool1d avg_pool2d conv1d conv1d_transpose conv2d conv2d_transpose conv3d dct depthwise_conv2d fft fft2d
    frame hamming_window hann_window idct ifft ifft2d inverse_stft irfft linear_to_mel_weight_matrix max_pool max_pool1d
    max_pool2d mfccs_from_log_mel_spectrograms overlap_and_add rfft stft

    batch_normalization ctc_loss dropout embedding_lookup local_response_normalization normalize
    weighted_cross_entropy_with_logits

    case categorical cond foldl foldr map_fn scan shuffle truncated_normal
    """.split()  # noqa: SIM905  # one name a line would be long
)
#: RETURNN's helpers of the same kind.
RETURNN_ONLY = frozenset(
    """
    dot dropout expand_dims_unbroadcast flatten_with_seq_len_mask get_rnnt_linear_aligned_output
    get_shape get_shape_dim get_shared_vocab nd_indices sequence_mask_time_major swapaxes tile_transposed
    """.split()  # noqa: SIM905  # one name a line would be long
)

_FUNCTIONS: dict[str, ExpressionFunction] = {}
_TRUSTED: set[str] = set()
_FAMILIES = ("complex_numbers", "effects", "elementwise", "making", "products", "reductions", "shapes", "special")


def function(*names: str, trusted: bool = False) -> Callable[[F], F]:
    """Register a function under its names; with ``trusted`` TensorFlow's one is not for a config that is data."""

    def add(f: F) -> F:
        _TRUSTED.update(names if trusted else ())
        for name in names:
            if name in _FUNCTIONS:
                raise IRError(f"expression function {name!r} is registered twice")
            _FUNCTIONS[name] = f
        return f

    return add


@functools.cache
def _all() -> Mapping[str, ExpressionFunction]:
    for family in _FAMILIES:
        importlib.import_module(f"returnn_ir.expression.{family}")
    return _FUNCTIONS


def find_function(b: Tracer, name: str) -> Callable[..., Any] | None:
    """The function of that name, ready to be called."""
    found = _all().get(name)
    return functools.partial(found, b) if found is not None else None


def function_names() -> list[str]:
    """All names, sorted."""
    return sorted(_all())


def tensor_function_names() -> frozenset[str]:
    """All functions of TensorFlow's names that only compute: the compiled ones and the others."""
    return TENSORFLOW_ONLY.union(function_names()) - _TRUSTED
