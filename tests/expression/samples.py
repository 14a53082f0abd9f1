"""One expression at least for every function of the table, with the variants of its arguments.

A text means the same to TensorFlow, unless a second one says what TensorFlow computes: for names that are not its own.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["SAMPLES"]

_UNARY = (
    *("exp", "erf", "erfc", "sin", "cos", "tan", "atan", "tanh", "sinh", "cosh", "asinh", "sigmoid", "square", "floor"),
    *("ceil", "round", "abs", "sign", "negative", "identity", "rint", "expm1"),
)
_NN = ("relu", "relu6", "elu", "selu", "softsign", "softplus", "silu", "swish", "gelu", "leaky_relu", "l2_loss")
_POSITIVE = ("log", "log1p", "sqrt", "rsqrt", "reciprocal")
_WITHIN_ONE = ("asin", "acos", "atanh")
_BINARY = (
    *("add", "subtract", "multiply", "divide", "truediv", "realdiv", "div", "floordiv", "floor_div", "mod", "floormod"),
    *("maximum", "minimum", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "atan2"),
    *("squared_difference", "div_no_nan"),
)
_LOGICAL = ("logical_and", "logical_or", "logical_xor")

ELEMENTWISE: Sequence[str | tuple[str, str]] = (
    *(f"tf.{name}(x)" for name in _UNARY),
    *(f"tf.nn.{name}(x * 3)" for name in _NN),
    *(f"tf.{name}(p)" for name in _POSITIVE),
    *(f"tf.{name}(u)" for name in _WITHIN_ONE),
    *(f"tf.{name}(x, p)" for name in _BINARY),
    *(f"tf.{name}(n, d)" for name in _BINARY if name not in ("realdiv", "div", "atan2", "div_no_nan")),
    *(f"tf.{name}(m, k)" for name in _LOGICAL),
    *(f"tf.math.{name}(e)" for name in ("is_finite", "is_inf", "is_nan", "exp", "sign", "abs")),
    *(f"tf.{name}(n)" for name in ("abs", "negative", "sign", "square", "to_float", "to_int64", "round")),
    *("tf.logical_not(m)", "tf.to_int32(x)", "tf.math.log_sigmoid(x)", "tf.nn.leaky_relu(x, alpha=0.1)"),
    *("tf.nn.sigmoid_cross_entropy_with_logits(labels=p, logits=x)", "tf.math.divide_no_nan(x, tf.round(x))"),
    *("tf.pow(p, 1.5)", "tf.pow(x, 2)", "tf.pow(2.0, x)", "tf.pow(n, 2)", "tf.pow(n, 3)", "tf.pow(x, 3.0)"),
    *("tf.clip_by_value(x, -0.5, 0.5)", "tf.clip_by_value(n, -2, 3)", "tf.clip_by_value(x, u, p)"),
    *("tf.where(m, x, y)", "tf.where(m, x, 0.0)", "tf.where(x > 0, v, y)", "tf.where_v2(m, n, 1)", "tf.where(m, 1, 0)"),
    *("tf.add_n([x])", "tf.add_n([x, y, p])", "tf.stop_gradient(x)", "tf.convert_to_tensor([1.0, 2.0])"),
    *(
        "tf.constant(2.5)",
        "tf.constant([[1, 2], [3, 4]])",
        "tf.constant(3, dtype=tf.int64)",
        "tf.constant(2, 'float32')",
    ),
    *("tf.constant([True, False])", "tf.constant(True)"),
    # other names of the same
    ("add_v2(x, y)", "x + y"),
    ("sub(x, y)", "x - y"),
    ("mul(x, y)", "x * y"),
    ("neg(x)", "-x"),
    ("floor_divide(n, d)", "n // d"),
    ("remainder(n, d)", "n % d"),
    ("clip(x, -0.5, 0.5)", "tf.clip_by_value(x, -0.5, 0.5)"),
    ("logaddexp(x, y)", "tf.math.log(tf.exp(x) + tf.exp(y))"),
    ("logaddexp(x, y) + 0 * logaddexp(-800.0, x)", "tf.math.log(tf.exp(x) + tf.exp(y))"),
    # RETURNN's own, by their documentation
    ("gelu2(x)", "x * tf.sigmoid(1.702 * x)"),
    ("gelu3(x)", "tf.nn.gelu(x)"),
    ("hard_sigmoid(x * 3)", "tf.clip_by_value(0.2 * x * 3 + 0.5, 0, 1)"),
    ("squared_relu(x)", "tf.nn.relu(x) ** 2"),
    ("safe_log(x)", "tf.math.log(tf.maximum(x, 1e-20))"),
    ("safe_log(x, eps=0.1)", "tf.math.log(tf.maximum(x, 0.1))"),
    ("safe_log(tf.nn.softmax(x * 100))", "tf.nn.log_softmax(x * 100)"),
    ("safe_log(tf.exp(x * 50))", "x * 50"),
    ("safe_exp(x * 9, 0.1)", "tf.clip_by_value(tf.exp(x * 9), 0.1, 10.0)"),
    ("safe_exp(tf.nn.log_softmax(x))", "tf.nn.softmax(x)"),
    ("safe_exp(tf.math.log(p))", "p"),
    ("maximum_with_identity_grad(x, 0.5)", "tf.maximum(x, 0.5)"),
    ("scaled_gradient(x, 0.5)", "x"),
    ("where_bc(tf.equal(i, 0), x, y)", "tf.where(tf.equal(i, 0)[:, :, None], x, y)"),
)

CASTS: Sequence[str | tuple[str, str]] = (
    *(f"tf.cast(x * 3, tf.{t})" for t in ("int32", "int64", "float32", "bool")),
    *(f"tf.cast(n, tf.{t})" for t in ("float32", "int64", "bool")),
    *("tf.cast(m, tf.float32)", "tf.cast(x, 'int32')", "tf.cast(n, x.dtype)", "tf.cast(m, tf.int32)"),
    *(f"tf.saturate_cast(x * 300, tf.{t})" for t in ("uint8", "int8", "int32", "float32")),
    *(f"tf.saturate_cast(n * 100, tf.{t})" for t in ("uint8", "int8", "int64", "float32")),
    *("tf.saturate_cast(x * 1e12, tf.int32)", "tf.saturate_cast(tf.cast(n, tf.int64) * 10**10, tf.int32)"),
    "tf.saturate_cast(tf.where(tf.math.is_nan(e), 0.0, e), tf.int32)",
)

COMPLEX: Sequence[str | tuple[str, str]] = (
    *(f"tf.math.{part}(tf.complex(x, y))" for part in ("real", "imag", "angle", "abs")),
    *("tf.math.real(tf.math.conj(tf.complex(x, y)))", "tf.math.imag(tf.math.conj(tf.complex(x, y)))"),
    *("tf.math.real(x)", "tf.math.imag(x)", "tf.math.conj(x)", "tf.math.angle(x)"),
    *("tf.math.real(tf.complex(x, y) * tf.complex(y, p))", "tf.math.imag(tf.complex(x, y) / tf.complex(y, p))"),
)

SPECIAL: Sequence[str | tuple[str, str]] = (
    *("tf.math.xlogy(x, p)", "tf.math.xlogy(tf.round(x), p)", "tf.math.multiply_no_nan(e, tf.round(u))"),
    *("tf.nn.bias_add(x, v)", "tf.debugging.check_numerics(x, 'text')", "tf.ensure_shape(x, [None, None, 3])"),
    *("tf.Print(x, [x])", "tf.nn.l2_loss(v)", "tf.math.reduce_euclidean_norm(x, axis=1)"),
    *("tf.math.reduce_euclidean_norm(x, axis=[-1, 0], keepdims=True)",),
    *("tf.nn.softmax_cross_entropy_with_logits(labels=tf.nn.softmax(y), logits=x)",),
    *("tf.nn.softmax_cross_entropy_with_logits(labels=tf.nn.softmax(y, axis=1), logits=x, axis=1)",),
    ("tf.nn.softmax_cross_entropy_with_logits_v2(labels=p, logits=x)", "-tf.reduce_sum(p * tf.nn.log_softmax(x), -1)"),
    "tf.nn.sparse_softmax_cross_entropy_with_logits(labels=i, logits=x)",
)

_KINDS = ("sum", "mean", "max", "min", "prod", "logsumexp", "variance", "std")
_OVER = (
    "",
    "axis=1",
    "axis=-1",
    "axis=[0, 2]",
    "axis=(1, -1), keepdims=True",
    "axis=0, keepdims=True",
    "keepdims=True",
)

REDUCTIONS: Sequence[str | tuple[str, str]] = (
    *(f"tf.math.reduce_{kind}(x{', ' if over else ''}{over})" for kind in _KINDS for over in _OVER),
    *(f"tf.reduce_{kind}(m, axis={axis})" for kind in ("any", "all") for axis in ("1", "-1", "None")),
    *(f"tf.reduce_{kind}(n, axis=1)" for kind in ("sum", "max", "min", "prod")),
    *("tf.reduce_sum(o, axis=1)", "tf.reduce_sum(o, axis=1, keepdims=True)", "tf.reduce_sum(x[:, None], axis=1)"),
    ("tf.reduce_sum(x, keep_dims=True, reduction_indices=[1])", "tf.reduce_sum(x, axis=1, keepdims=True)"),
    *("tf.reduce_sum(x, axis=[])", "tf.argmax(x[:, None], 1)", "tf.argsort(x[:, None], 1)", "tf.cumsum(x[:, None], 1)"),
    "tf.cumsum(x[:, None], 1, exclusive=True)",
    *(f"tf.norm(x{', ' if over else ''}{over})" for over in ("", "axis=1", "ord=1, axis=-1", "axis=2, keepdims=True")),
    *("tf.norm(x, ord=2, axis=-1)", "tf.nn.l2_normalize(x, axis=-1)", "tf.nn.l2_normalize(x, 1, epsilon=10.0)"),
    ("tf.nn.l2_normalize(x, dim=-1)", "tf.nn.l2_normalize(x, axis=-1)"),
    *(f"tf.nn.{kind}(x{axis})" for kind in ("softmax", "log_softmax") for axis in ("", ", axis=1", ", axis=-2", ", 0")),
    ("tf.nn.softmax(x, dim=1)", "tf.nn.softmax(x, axis=1)"),
    *("tf.nn.softmax(o, axis=1)", "tf.nn.log_softmax(x[:, None], axis=1)", "tf.nn.softmax(x, axis=None)"),
    *(f"tf.{kind}(x{axis})" for kind in ("argmax", "argmin") for axis in ("", ", axis=1", ", axis=-1", ", 2")),
    *("tf.argmax(n, axis=1, output_type=tf.int32)", "tf.argmax(o, axis=1)", "tf.argmin(x, 1, tf.int32)"),
    ("tf.argmax(x, dimension=1)", "tf.argmax(x, axis=1)"),
    *(
        "tf.argsort(x)",
        "tf.argsort(x, axis=1)",
        "tf.argsort(x, direction='DESCENDING')",
        "tf.argsort(n, axis=0, stable=True)",
    ),
    *("tf.argsort(n, direction='DESCENDING', stable=True)",),
    *("tf.cumsum(x)", "tf.cumsum(x, axis=1)", "tf.cumsum(x, axis=-1, exclusive=True)", "tf.cumsum(x, 1, reverse=True)"),
    *(
        "tf.cumsum(n, axis=1, exclusive=True, reverse=True)",
        "tf.cumsum(o, axis=1)",
        "tf.cumsum(o, axis=1, exclusive=True)",
    ),
    *("tf.nn.moments(x, axes=[1])", "tf.nn.moments(x, axes=[0, -1], keepdims=True)", "tf.nn.moments(v, [0])"),
)

SHAPES: Sequence[str | tuple[str, str]] = (
    *(
        "tf.shape(x)",
        "tf.shape(x)[1]",
        "tf.size(x)",
        "tf.size(w, out_type=tf.int64)",
        "tf.rank(x)",
        "tf.rank(s)",
        "tf.size(o)",
    ),
    *(
        "tf.shape(x) * 2",
        "tf.shape(x) + tf.shape(y)",
        "tf.shape(x)[1:]",
        "tf.stack([tf.shape(x)[0], 5])",
        "tf.shape(s)",
    ),
    *("tf.shape(x) == tf.shape(y)", "tf.reduce_prod(tf.shape(x))", "tf.zeros(tf.stack([tf.shape(x)[0], 5]))"),
    *("tf.zeros(tf.concat([tf.shape(x)[:-1], [7]], axis=0))", "tf.constant([2.0, 1.0]) * [s, 3.0]"),
    *("tf.shape(x)[-1] * 2", "tf.cast(tf.shape(x)[1], tf.float32)", "tf.shape(o)", "tf.shape(x, out_type=tf.int64)"),
    *(f"tf.expand_dims(x, {axis})" for axis in ("0", "1", "3", "-1", "-4", "axis=2")),
    ("tf.expand_dims(x, dim=1)", "tf.expand_dims(x, 1)"),
    *(
        "tf.squeeze(o, 1)",
        "tf.squeeze(o)",
        "tf.squeeze(o, axis=[1])",
        "tf.squeeze(x[:, None, :, None], -2)",
        "tf.squeeze(x[:, None, :, None], [1, -2])",
    ),
    ("tf.squeeze(o, squeeze_dims=[1])", "tf.squeeze(o, 1)"),
    ("tf.squeeze(x[:, None, :, None], squeeze_dims=[1])", "tf.squeeze(x[:, None, :, None], 1)"),
    *(
        "tf.reshape(x, [tf.shape(x)[0], -1, 1, 3])",
        "tf.reshape(x, tf.shape(x))",
        "tf.reshape(v, [1, 3, 1])",
        "tf.reshape(x, tf.concat([tf.shape(x)[:1], [-1, 3]], 0))",
    ),
    *("tf.reshape(x, [tf.shape(x)[0], tf.shape(x)[1], 1, 3])", "tf.reshape(s, [])", "tf.reshape(s, [1, 1])"),
    *("tf.reshape(w, [-1])", "tf.reshape(tf.reshape(w, [15]), [3, -1])", "tf.reshape(tf.tile(w, [1, 1]), [1, -1, 1])"),
    *("tf.reshape(r, [-1])", "tf.reshape(tf.reshape(r, [-1]), [tf.shape(x)[0], -1])", "tf.reshape(r, [-1, 3, 1])"),
    "tf.reshape(tf.concat([w, w], 0), [2, 3, 5])",
    "tf.reshape(tf.concat([w, w], 0), [-1, 3, 5]) * v[:, None]",
    "tf.equal(v[:, None], v[None, :])",
    "tf.reduce_sum(tf.where(v[:, None] < v[None, :], 1.0, 0.0) * v[:, None], axis=0)",
    *("r[:, :tf.shape(r)[1]]", "x[:, : tf.shape(x)[1]]"),
    *("tf.transpose(x)", "tf.transpose(x, [1, 0, 2])", "tf.transpose(x, perm=(2, 1, 0))", "tf.transpose(o, [1, 0, 2])"),
    *("tf.transpose(w)", "tf.transpose(x, [0, -1, 1])"),
    *("tf.concat([x, y], axis=-1)", "tf.concat([x, y, x], 2)", "tf.concat([x], axis=0)", "tf.concat([v, v], axis=0)"),
    *("tf.concat([o, o], axis=1)", "tf.concat([x[:, None], y[:, None]], axis=1)", "tf.concat([n, d], axis=-1)"),
    *("tf.concat([w, w[:, :2]], axis=1)",),
    *(f"tf.stack([x, y], axis={axis})" for axis in (0, 1, 2, 3, -1, -2)),
    *("tf.stack([x, y, p])", "tf.stack([s, s])", "tf.stack([v, v * 2], axis=-1)", "tf.stack([x[:, 0], r])"),
    ("pack([x, y], axis=1)", "tf.stack([x, y], axis=1)"),
    *("tf.split(x, 3, axis=-1)", "tf.split(x, [1, 2], axis=2)", "tf.split(w, 5, 1)", "tf.split(v, 3)"),
    *("tf.split(w, [2, -1], axis=1)", "tf.split(x, num_or_size_splits=1, axis=-1)"),
    *(
        "tf.unstack(x, axis=-1)",
        "tf.unstack(x, axis=2, num=3)",
        "tf.unstack(w)",
        "tf.unstack(v)",
        "tf.unstack(o, axis=1)",
    ),
    *(
        "tf.tile(o, [1, 4, 1])",
        "tf.tile(v[None], [2, 1])",
        "tf.tile(o, [1, tf.shape(x)[1], 1])",
        "tf.tile(x, [1, 1, 1])",
    ),
    *("tf.broadcast_to(v, tf.shape(x))", "tf.broadcast_to(s, tf.shape(x))", "tf.broadcast_to(o, tf.shape(x))"),
    *("tf.broadcast_to(r[:, None], tf.shape(x))", "tf.broadcast_to(x, tf.shape(x))", "tf.broadcast_to(v, [4, 3])"),
    *("tf.broadcast_to(s, [2, 2])", "tf.broadcast_to(v[None], [4, 3])"),
    *("tf.reverse(x, [1])", "tf.reverse(x, axis=[-1, 0])", "tf.reverse(o, [1])"),
    *("tf.gather(w, i)", "tf.gather(v, i)", "tf.gather(w, 2)", "tf.gather(w, 1, axis=1)", "tf.gather(x, 0, axis=1)"),
    *("tf.gather(w, [0, 2])", "tf.gather(x, [2, 0], axis=-1)", "tf.gather(w, [[0, 1], [2, 0]], axis=0)"),
    *("tf.matmul(x, w)", "tf.matmul(w, tf.transpose(w))", "tf.matmul(r, w)", "tf.matmul(w, w, transpose_a=True)"),
    *(
        "tf.matmul(x, y, transpose_b=True)",
        "tf.matmul(tf.transpose(x, [0, 2, 1]), y)",
        "tf.matmul(o, tf.transpose(x, [0, 2, 1]))",
    ),
    *("tf.matmul(x, x, transpose_b=True)", "tf.matmul(w, w, False, True)", "tf.matmul(x, y, transpose_a=True)"),
    # matrices whose axes are batch axes of the other operand, of other names, or of size one
    "tf.matmul(w, w[:, :, None] * [1.0, 2.0])",
    "tf.matmul(tf.stack([w, w * 2]), tf.stack([w * 3, w]), transpose_b=True)",
    "tf.matmul(tf.transpose(w[..., None] * [1.0, 2.0], [0, 2, 1]), [[[1.0]], [[2.0]], [[3.0]]] * tf.transpose(w))",
    "tf.matmul(x[..., None], y[..., None, :])",
    "tf.matmul(v[None], v[:, None])",
    "tf.matmul(o, tf.transpose(o, [0, 2, 1]))",
    "tf.matmul(x, w[:, :3], adjoint_b=True)",
)

MAKING: Sequence[str | tuple[str, str]] = (
    *(
        "tf.zeros_like(x)",
        "tf.ones_like(x)",
        "tf.zeros_like(n)",
        "tf.ones_like(x, dtype=tf.int32)",
        "tf.zeros_like(x, tf.bool)",
    ),
    *(
        "tf.zeros([2, 3])",
        "tf.ones([2], tf.int32)",
        "tf.zeros(tf.shape(x))",
        "tf.ones([tf.shape(x)[1], 3])",
        "tf.zeros([])",
    ),
    *("tf.fill([2, 3], 1.5)", "tf.fill(tf.shape(x), 7)", "tf.fill([tf.shape(x)[0]], True)", "tf.fill([2], s)"),
    *(
        "tf.range(5)",
        "tf.range(1, 9, 2)",
        "tf.range(tf.shape(x)[1])",
        "tf.range(0, tf.shape(x)[1])",
        "tf.range(3, dtype=tf.float32)",
    ),
    *("tf.range(0.0, 1.0, 0.25)", "tf.range(5, 0, -1)", "tf.range(start=2, limit=4)", "tf.range(tf.shape(x)[2]) * 2"),
    *("tf.linspace(0.0, 1.0, 5)", "tf.linspace(-1.0, 3.0, 1)"),
    ("lin_space(0.0, 1.0, 3)", "tf.linspace(0.0, 1.0, 3)"),
    *(
        "tf.one_hot(i, 3)",
        "tf.one_hot(i, 5, dtype=tf.int32)",
        "tf.one_hot(i, depth=2)",
        "tf.one_hot(i, tf.shape(w)[1])",
    ),
    *("tf.one_hot(tf.cast(i, tf.int64), 4, axis=-1)", "tf.one_hot(i, tf.shape(x)[2])", "tf.one_hot([0, 2], 3)"),
    *(
        "tf.one_hot(i, 3, on_value=2.0, off_value=-1.0)",
        "tf.one_hot(i, 3, axis=1)",
        "tf.one_hot(i, 3, on_value=True, off_value=False, dtype=tf.bool)",
    ),
    *(
        "tf.sequence_mask([1, 3], tf.shape(x)[1])",
        "tf.sequence_mask(tf.constant([2, 4]), maxlen=tf.shape(x)[1], dtype=tf.float32)",
    ),
    *("tf.sequence_mask([1, 3], 4)", "tf.sequence_mask(i, tf.shape(x)[1])"),
    *("tf.eye(3)", "tf.eye(2, dtype=tf.int32)", "tf.eye(2, 3)", "tf.eye(2, num_columns=4)"),
)

#: Python's operators, from both sides, with numbers, arrays and tensors of other shapes and types.
OPERATORS: Sequence[str | tuple[str, str]] = (
    *(f"x {op} y" for op in ("+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "==", "!=")),
    *(f"2.0 {op} p" for op in ("+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">=", "==", "!=")),
    *(f"p {op} 2" for op in ("+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">=", "==", "!=")),
    *(f"n {op} d" for op in ("+", "-", "*", "/", "//", "%", "<", "<=", ">", ">=", "==", "!=")),
    *(f"7 {op} d" for op in ("+", "-", "*", "/", "//", "%", "<", ">=", "==")),
    *(f"n {op} 3" for op in ("+", "-", "*", "/", "//", "%", "**", "<", ">=", "==")),
    *(f"m {op} k" for op in ("&", "|", "^", "==", "!=")),
    *(f"m {op} True" for op in ("&", "|", "^")),
    *(f"False {op} m" for op in ("&", "|", "^")),
    *("~m", "-x", "-n", "abs(x)", "abs(n)", "x ** 2", "x ** 3", "p ** y", "p ** 0.5", "n ** 2", "x ** -1.0", "2 ** x"),
    *(
        "x + v",
        "v + x",
        "x * s",
        "s - x",
        "x * o",
        "o / p",
        "x + [1.0, 2.0, 3.0]",
        "[1.0, 2.0, 3.0] - x",
        "x * r[:, None]",
    ),
    *("x @ w", "w @ tf.transpose(w)"),
    *("x[:, 0]", "x[:, -1]", "x[:, 1:]", "x[:, :-1]", "x[..., 0]", "x[..., None]", "x[:, None]", "x[0]", "x[:, ::2]"),
    *("x[:, 1:-1]", "w[1:, ::2]", "w[-2:]", "v[::1]", "x[..., 1:3]", "x[:, :, -1]", "o[:, 0]", "o[:, -1]", "w[:, 3:1]"),
    *("x[:, None][:, 0]", "w[::-1]", "x[..., ::-1]", "o[:, 0:1]", "x[:, tf.reduce_max(tf.shape(w)) - 4]"),
    *("w[tf.constant(-2)]", "w[..., tf.constant(1)]", "x[:, tf.shape(x)[1] - 1]", "o[:, tf.constant(0)]"),
    *("x if 1 < 2 < 3 else y", "(x if not [] else y) + len([1, 2])", "tf.add_n([x * a for a in (1.0, 2.0) if a > 1])"),
    *("(lambda a, b: a - b)(x, y)", "sum([x, y])", "x + {'a': 2.0}['a']", "x + (1.0 and 2.0)", "x + (0.0 or 3.0)"),
    *(
        "tf.add_n([a * b for a, b in zip([x, y], (2.0, 3.0))])",
        "x * 10 ** -2",
        "x + (3 in [1, 2])",
        "x + (3 not in (1,))",
    ),
    *(
        "x + float('2.5')",
        "x + max(1.0, 2.0)",
        "x.shape[-1] * x",
        "x * x.get_shape().as_list()[2]",
        "x * x.shape.ndims",
    ),
    *("x * int(x.dtype == tf.float32)", "n * int(n.dtype.is_integer)", "x + 0 * x.dtype.max", "x + (None is None)"),
    *("x * int(x.dtype.is_floating and not m.dtype.is_floating)", "n + n.dtype.min * 0", "x * int(m.dtype.is_bool)"),
    *("x * int(tf.complex(x, y).dtype.is_complex)", "x * int(x.dtype.base_dtype == 'float32')", "x + (v is not None)"),
)

SAMPLES: dict[str, Sequence[str | tuple[str, str]]] = {
    "elementwise": ELEMENTWISE,
    "casts": CASTS,
    "complex": COMPLEX,
    "special": SPECIAL,
    "reductions": REDUCTIONS,
    "shapes": SHAPES,
    "making": MAKING,
    "operators": OPERATORS,
}
