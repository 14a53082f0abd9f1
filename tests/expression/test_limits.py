"""Expressions that would take too long, or too much memory, end in a message at once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.program.program import compile_net
from returnn_ir import load
from returnn_ir.construct.initializers import parse_init
from returnn_ir.errors import UserError
from returnn_ir.expression.evaluate import evaluate_expression, parse_expression
from tests.expression.tensors import Symbols

BITS = "the expression is too large: a whole number of so many bits"
STEPS = "the expression is too large: it takes too many steps"
ENTRIES = "the expression is too large: a tensor with so many entries"
TEXT = "the expression is too large: the text of a sequence"
FORMAT = "the expression is too large: a text with such a format"
DEEP = "the expression is nested too deeply"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10**10**10", BITS),
        ("x * 10**10**9", BITS),
        ("(-3)**(10**6)", BITS),
        ("(lambda a: a * a)((lambda a: a * a)((lambda a: a * a)(2**500)))", BITS),
        ("int('f' * 600, 16)", BITS),
        ("'a' * 10**10", STEPS),
        ("10**10 * [0]", STEPS),
        ("(0,) * (10**9 + 1)", STEPS),
        ("list(range(10**10))", STEPS),
        ("sum(range(10**9))", STEPS),
        ("range(0, -10**12, -3)", STEPS),
        ("1.5 in range(10**12)", STEPS),
        ("[0 for a in range(1000) for b in range(1000)]", STEPS),
        ("[a for a in range(199000)] + [a for a in range(199000)]", STEPS),
        ("(lambda f: f(f))(lambda f: f(f))", DEEP),
        # no sequence anywhere: 2 ** 16 calls
        ("(lambda two: two(two)(two)(two)(lambda a: a + 1)(0))(lambda f: lambda a: f(f(a)))", STEPS),
        ("sum([[0]] * 1000, [])", "the expression is too large: a sum of sequences"),
        ("round(7, -10**9)", "the expression is too large: rounding to so many digits"),
        ("str([0])", TEXT),
        ("'%s' % ([0],)", TEXT),
        ("'%9999999999d' % 5", FORMAT),
        ("'%.*f' % (10**9, 1.5)", FORMAT),
        ("tf.range(10**10)", ENTRIES),
        ("tf.zeros([10**6, 10**6])", ENTRIES),
        ("tf.eye(10**5)", ENTRIES),
        ("tf.one_hot(i, 10**12)", ENTRIES),
        ("tf.tile(o, [1, 10**9, 1])", ENTRIES),
        ("tf.linspace(0.0, 1.0, 10**9)", ENTRIES),
        ("tf.sequence_mask(i, 10**9)", ENTRIES),
        ("tf.split(x, 10**9, axis=-1)", "tf.split of the axis data.F(3) into 1000000000 parts"),
        ("tf.constant([[[0] * 1000] * 1000] * 1000)", "the expression is too large: a constant with so many entries"),
        ("x[(None,) * 1000]", "the expression is too large: a tensor of so many axes"),
    ],
)
def test_refused_at_once(text: str, message: str) -> None:
    started = time.monotonic()
    with pytest.raises(UserError) as caught:
        Symbols().evaluate(text)
    assert str(caught.value).startswith(message)
    assert time.monotonic() - started < 20  # seconds; without limits these take all memory or all day


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2**1023 + 0.0", 2.0**1023),
        ("[1, 2] * 3", [1, 2] * 3),
        ("'%d %s %5.2f%%' % (3, 'a', 0.5)", "3 a  0.50%"),
        ("str(12) + 'x'", "12x"),
        ("len(list(range(5000)))", 5000),
        ("sum([a * b for a in range(30) for b in (1, 2) if a % 2], 0.5)", 675.5),
        ("round(2.567, 1)", 2.6),
        ("2 ** -1", 0.5),
        ("'a b'.split()[1].upper()", "B"),
        ("dict(a=1)['a']", 1),
        ("{'a': (1, 2)}.get('a')[::-1]", (2, 1)),
    ],
)
def test_what_fits(text: str, value: Any) -> None:
    assert evaluate_expression(parse_expression(text), {}) == value


def test_a_limit_has_all_parts_of_a_message(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    network = {"output": {"class": "eval", "from": "data", "eval": "source(0) * 10**10**9"}}
    path.write_text(f"extern_data = {{'data': {{'dim': 3}}}}\nnetwork = {network!r}\n")
    with pytest.raises(UserError) as caught:
        compile_net(load(path), target="reference")
    assert str(caught.value) == (
        f"layer 'output' ({path}:2, key 'eval'): {BITS}\n"
        "  expected: at most 2048\n"
        "  received: 4000000000\n"
        "  try: make it shorter, or give the numbers themselves"
    )


def test_long_sums(tmp_path: Path) -> None:
    """Python's parser reads sums of about 3000 terms; those in between are computed."""
    assert evaluate_expression(parse_expression("+".join(["a"] * 2000)), {"a": 0.5}) == 1000.0
    with pytest.raises(UserError) as caught:
        parse_expression("+".join(["source(0)"] * 5000))
    shown = ("source(0)+" * 20)[:200]
    assert str(caught.value) == (
        f"{DEEP}\n  received: '{shown}...'\n  try: tf.add_n([...]) adds many tensors; a layer for each part"
    )
    with pytest.raises(UserError, match="too many nested parentheses"):
        parse_expression("(" * 500 + "1" + ")" * 500)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("constant(10**10**10)", BITS),
        ("numpy.zeros((10**9,))", ENTRIES),
        ("numpy.zeros(10**9)", ENTRIES),
        ("np.eye(10**5)", ENTRIES),
        ("np.arange(10**12)", ENTRIES),
        ("np.linspace(0, 1, 10**9)", ENTRIES),
        ("np.outer(np.arange(10**4), np.arange(10**4))", ENTRIES),
        ("np.zeros((10**4, 1)) + np.zeros((1, 10**4))", ENTRIES),
        ("np.power(10, 10**9, dtype='O')", "numpy.power of a str"),
        ("np.array([10**30]) ** 10**9", "numpy.array of a list"),
        ("np.array(10**30)", "numpy.array of a int"),
        ("np.add(1, 2)", "the expression uses np.add"),
    ],
)
def test_initialisers(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_init(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("numpy.sqrt(numpy.arange(6))", np.sqrt(np.arange(6))),
        ("np.array([[1, 2, 3], [4, 5, 6]], dtype='int32') * 2", np.arange(2, 14, 2)),
        ("np.full((2, 3), math.pi)", np.full(6, np.pi)),
        ("np.linspace(0., 1., 6)", np.linspace(0, 1, 6)),
        ("np.eye(2, 3)", np.eye(2, 3).ravel()),
        ("-log(np.float32(2)) + 0 * np.zeros([6])", np.full(6, -np.log(2))),
        ("np.arange(6, 0, -1)", np.arange(6, 0, -1)),
        ("(zeros)", np.zeros(6)),
    ],
)
def test_initialisers_compute_numbers(text: str, value: Any) -> None:
    drawn = parse_init(text)((2, 3), np.random.default_rng(1), "float64")
    np.testing.assert_allclose(np.asarray(drawn).ravel(), value, rtol=1e-6)
