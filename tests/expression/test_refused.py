"""What expressions cannot say: each with its reason, which is what a target without Python code tells the user."""

from __future__ import annotations

import numpy as np
import pytest

from compiler.reference.target import ReferenceTarget
from returnn_ir.errors import UnsupportedError, UserError
from returnn_ir.ir.mode import Mode
from tests.expression.tensors import Symbols


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{**{}}", "** in a dict"),
        ("f'{x}'", "JoinedStr in an expression"),
        ("(y := x)", "NamedExpr in an expression"),
        ("{1, 2}", "Set in an expression"),
        ("tf.add(*[x, y])", "a call with * or **"),
        ("tf.add(**{})", "a call with * or **"),
        ("x << 2", "the operator LShift"),
        ("0 < x < 1", "a chain of comparisons of tensors"),
        ("x and y", "a decision that depends on the values of a tensor"),
        ("x if x > 0 else y", "a decision that depends on the values of a tensor"),
        ("[a for a in x]", "iterating over a tensor"),
        ("[a for a.b in [1]]", "such a target of a loop"),
        ("[a for a, b in [(1, 2, 3)]]", "such a target of a loop"),
        ("(lambda *a: a)(1)", "a lambda with more than plain arguments"),
        ("(lambda a: a)(1, 2)", "a lambda of 1 arguments called with 2"),
        ("nothing", "the name 'nothing'"),
        ("x.nothing", "the attribute 'nothing' of a Numbered"),
        ("x.__class__", "the attribute '__class__'"),
        ("float(x)", "'float' of a tensor"),
        ("(1)(2)", "a call of a int"),
        ("list[int]", "a subscript of a type"),
        ("tf.math.lgamma(x)", "tf.math.lgamma has no counterpart in the IR"),
        ("tf.no.thing", "tf.no.thing has no counterpart in the IR"),
        ("x + 'a'", "a str where a tensor is expected"),
        ("x + ['a']", "a constant ['a']"),
        ("tf.stack([[x, y]])", "a list of tensors where one tensor is expected"),
        ("n & d", "an operation on the bits of int32"),
        ("~n", "an operation on the bits of int32"),
        ("m & 1", "a truth value and a int"),
        ("tf.sin(n)", "sin of int32, as in TensorFlow: cast it first"),
        ("tf.cast(x, 'string')", "the element type 'string'"),
        ("tf.saturate_cast(m, tf.int32)", "tf.saturate_cast of bool to int32"),
        ("tf.constant(1.0, shape=[2])", "a constant with a shape"),
        ("tf.where(m)", "tf.where with a condition only, which gives positions"),
        ("tf.add_n([])", "a sum of no tensors"),
        ("maximum_with_identity_grad(s, x)", "maximum_with_identity_grad with a larger second tensor"),
        ("scaled_gradient(x, s)", "a gradient scaled by a tensor"),
        ("tf.nn.bias_add(x, v, data_format='NCHW')", "bias_add with the features in front"),
        ("tf.nn.sparse_softmax_cross_entropy_with_logits(labels=i, logits=tf.transpose(x, [0, 2, 1]))",
         "a cross entropy over an axis without a static size"),
        ("tf.reduce_mean(n)", "a mean of integers, which TensorFlow cuts off"),
        ("tf.reduce_sum(x, axis=s)", "an axis that is not a number"),
        ("tf.norm(x, ord=3)", "the norm of order 3"),
        ("tf.expand_dims(x, 9)", "expand_dims with axis 9"),
        ("tf.squeeze(x, 1)", "squeeze of the axis data.T(dynamic), which is not known to have the size one"),
        ("tf.reshape(x, [-1, 3])", "tf.reshape that merges or splits axes"),
        ("tf.reshape(x, [2, 4, 3, 1, 7])", "tf.reshape that merges or splits axes"),
        ("tf.reshape(x, i)", "tf.reshape to a computed shape"),
        ("tf.concat([x, x], axis=1)", "a concatenation over the axis data.T(dynamic)"),
        ("tf.concat([x, tf.transpose(x, [1, 0, 2])], axis=2)", "a concatenation of the axes B(batch) and data.T"),
        ("tf.split(x, 2, axis=1)", "a split of an axis of unknown size"),
        ("tf.split(w, i, axis=1)", "a split into computed sizes"),
        ("tf.split(w, [1, 1], axis=1)", "a split of G(5) into [1, 1]"),
        ("tf.split(w, 2, axis=1)", "a split of G(5) into [2, 2]"),
        ("tf.unstack(x, axis=1)", "unstack of an axis of unknown size"),
        ("tf.tile(x, i)", "tf.tile with computed multiples"),
        ("tf.tile(x, [1, 1, 2])", "tf.tile of the axis data.F(3)"),
        ("tf.tile(o, [1, s, 1])", "tf.tile with computed multiples"),
        ("tf.broadcast_to(r, [2, 7])", "tf.broadcast_to of the axis B(batch) to shape0(2)"),
        ("tf.gather(x, i, batch_dims=1)", "tf.gather with batch_dims"),
        ("tf.gather(x, i, axis=2)", "tf.gather by positions over axes that the values have"),
        ("tf.matmul(r, r, transpose_b=True)", "the axis B(batch) on two axes of one tensor"),
        ("tf.matmul(v, w)", "a matrix product of a tensor with 1 axes"),
        ("tf.matmul(x, tf.transpose(w))", "a matrix product over data.F(3) and G(5)"),
        ("tf.matmul(o, w[:1])", "a matrix product over data.F(3) and None"),
        ("tf.matmul(x[None], tf.transpose(x, [1, 0, 2])[None])", "a matrix product over the axes B(batch)"),
        ("tf.matmul(tf.complex(x, y), tf.complex(x, y))", "a matrix product of complex numbers"),
        ("x[i]", "a subscript that is computed and no single number"),
        ("x['a']", "the subscript 'a'"),
        ("x[True]", "the subscript True"),
        ("w[:, 9]", "entry 9 of the axis G(5)"),
        ("x[:1]", "the part slice(None, 1, None) of the axis B(batch), whose length varies"),
        ("w[::-2]", "a part with a negative step"),
        ("w[:'a']", "a part whose bounds are computed"),
        ("x[:, None][:, 1]", "the part 1 of an axis of size one"),
        ("tf.zeros(s)", "a shape with the entry"),
        ("tf.zeros([tf.shape(x)[1], tf.shape(x)[1]])", "the axis data.T(dynamic) on two axes of one tensor"),
        ("tf.fill([2], v)", "tf.fill with anything but one number"),
        ("tf.range(s)", "a range whose bounds are computed"),
        ("tf.linspace(0.0, s, 3)", "tf.linspace whose bounds or number are computed"),
        ("tf.one_hot(i, s)", "tf.one_hot with a computed depth"),
        ("tf.one_hot(i, 3, axis=7)", "tf.one_hot with axis 7"),
        ("tf.one_hot(i, 3, on_value=v)", "tf.one_hot with anything but numbers as values"),
        ("tf.sequence_mask(i)", "tf.sequence_mask whose maxlen is neither a number nor from a tensor's shape"),
        ("tf.eye(s)", "tf.eye of a computed size, or with batch_shape"),
        ("tf.random.uniform(tf.shape(x), dtype=tf.int32)", "random integers without a bound"),
    ],
)  # fmt: skip
def test_not_compiled(text: str, reason: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        Symbols().evaluate(text)
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tf.reduce_sum(x, axis=3)", "axis 3 of a tensor with 3 axes\n"),
        ("x + w", "axes of an expression do not fit together\n"),
        ("tf.broadcast_to(x, [3])", "tf.broadcast_to fewer axes than the tensor has\n"),
        ("tf.split(w, 9, axis=1)", "tf.split of the axis G(5) into 9 parts"),
    ],
)
def test_wrong(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        Symbols().evaluate(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "dtype", "low", "high", "mean"),
    [
        ("tf.random.uniform([200, 50])", "float32", 0, 1, 0.5),
        ("tf.random.uniform([200, 50], -1.0, 3.0)", "float32", -1, 3, 1),
        ("tf.random_uniform([200, 50], minval=2, maxval=5, dtype=tf.int32)", "int32", 2, 4, 3),
        ("tf.random.normal([200, 50])", "float32", -6, 6, 0),
        ("tf.random_normal([200, 50], mean=2.0, stddev=0.1)", "float32", 1, 3, 2),
    ],
)
def test_draws(text: str, dtype: str, low: float, high: float, mean: float) -> None:
    """Two draws of one expression are two."""
    symbols = Symbols(Mode("train"))
    for name in ("first", "second"):
        symbols.give(name, symbols.results(text)[0])
    found = symbols.run(ReferenceTarget())
    drawn = found["first"]
    assert drawn.shape == (200, 50) and drawn.dtype == dtype
    assert drawn.min() >= low and drawn.max() <= high
    assert abs(float(drawn.mean()) - mean) < 0.05
    assert not np.array_equal(drawn, found["second"])
