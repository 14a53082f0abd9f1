"""Initialisers: every form that configs use, their distributions, and what is refused."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.program.program import compile_net
from returnn_ir import load
from returnn_ir.construct.initializers import initial_value, parse_init
from returnn_ir.errors import ConfigError


@pytest.mark.parametrize(
    ("init", "value"),
    [
        (0, 0.0),
        (0.25, 0.25),
        (None, 0.0),
        (10**30, 1e30),
        ("zeros", 0.0),
        ("ones", 1.0),
        ("constant_initializer(value=-1.5)", -1.5),
        ({"class": "Constant", "value": 2.0}, 2.0),
        ("-math.sqrt(4.)", -2.0),
        (np.full((3, 4), 7.0), 7.0),
    ],
)
def test_fixed_values(init: Any, value: float) -> None:
    assert np.array_equal(initial_value("w", init, (3, 4), "float32", seed=42), np.full((3, 4), value, "float32"))


@pytest.mark.parametrize(
    ("init", "deviation", "limit"),
    [
        ("glorot_uniform", np.sqrt(2 / 500), np.sqrt(6 / 500)),
        ("xavier", np.sqrt(2 / 500), np.sqrt(6 / 500)),
        ("variance_scaling_initializer(mode='fan_in', distribution='uniform', scale=0.78)", np.sqrt(0.78 / 200), None),
        ({"class": "VarianceScaling", "mode": "fan_out", "distribution": "normal", "scale": 2.0}, 0.0816, 0.186),
        ("random_normal_initializer(mean=0.0, stddev=0.1)", 0.1, None),
        ("truncated_normal_initializer(stddev=0.1)", 0.088, 0.2),
        ("random_uniform_initializer(-0.3, 0.3)", 0.3 / np.sqrt(3), 0.3),
        ("glorot_normal", np.sqrt(2 / 500), None),
        ("he_normal", np.sqrt(2 / 200), None),
        ("he_uniform", np.sqrt(2 / 200), np.sqrt(6 / 200)),
        ("lecun_normal", np.sqrt(1 / 200), None),
        ("lecun_uniform", np.sqrt(1 / 200), np.sqrt(3 / 200)),
    ],
)
def test_distributions(init: Any, deviation: float, limit: float | None) -> None:
    drawn = initial_value("w", init, (200, 300), "float32", seed=42)
    assert abs(float(np.std(drawn)) / deviation - 1) < 0.03
    assert abs(float(np.mean(drawn))) < 0.03 * deviation
    if limit is not None:
        assert float(np.max(np.abs(drawn))) <= limit * 1.001


def test_orthogonal_and_identity() -> None:
    q = initial_value("w", "orthogonal", (6, 4), "float64", seed=42)
    assert np.allclose(q.T @ q, np.eye(4))
    assert np.array_equal(initial_value("w", "identity", (3, 3), "float32", seed=42), np.eye(3, dtype="float32"))


def test_streams_depend_on_the_name_alone() -> None:
    first = initial_value("a/W", "glorot_uniform", (4, 4), "float32", seed=42)
    assert np.array_equal(first, initial_value("a/W", "glorot_uniform", (4, 4), "float32", seed=42))
    assert not np.array_equal(first, initial_value("b/W", "glorot_uniform", (4, 4), "float32", seed=42))


@pytest.mark.parametrize(
    ("init", "text"),
    [
        ("glorot_unifrom", "did you mean 'glorot_uniform'"),
        ("variance_scalling_initializer(scale=1.0)", "did you mean 'variance_scaling'"),
        ("variance_scaling_initializer(mode='fan_up')", "fan_in, fan_out or fan_avg"),
        ({"class": "VarianceScaling", "size": 3}, "size"),
        ("zeros(", "not a Python expression"),
        ("__import__('os').getcwd()", "not understood"),
        ({}, "not an initialiser"),
    ],
)
def test_refused(init: Any, text: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_init(init)
    assert text in str(error.value)


@pytest.mark.parametrize("case", ["own_initial_values", "own_initial_options"])
def test_fixed_initial_values_of_layers_are_those_of_returnn(case: str) -> None:
    """Recorded of nets with many kinds of layers; what is drawn has about the same spread."""
    path = Path(__file__).parent / "golden" / "variables_random_state" / f"{case}.py"
    net = load(path)
    made = compile_net(net, target="reference", mode="eval", fetch=list(net.layers), everything=True).initial_params()
    recorded = np.load(path.with_suffix(".npz"))
    expected = {key.removeprefix("param/"): recorded[key] for key in recorded if key.startswith("param/")}
    assert set(made) == set(expected)
    for name, value in expected.items():
        if np.unique(value).size == 1:
            np.testing.assert_allclose(made[name], value, rtol=1e-6, err_msg=name)
        else:
            assert 0.5 * value.std() < made[name].std() < 2 * value.std(), name


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0, 4), (7,), (300, 400)])
def test_uniform_numbers_are_those_of_one_draw(shape: tuple[int, ...], dtype: str) -> None:
    rng = np.random.default_rng([42, zlib.crc32(b"w")])
    drawn = initial_value("w", "random_uniform_initializer(-0.25, 0.75)", shape, dtype, seed=42)
    assert drawn.dtype == dtype and np.array_equal(drawn, rng.uniform(-0.25, 0.75, shape).astype(dtype))


def test_an_array_of_the_config_is_not_handed_out() -> None:
    array = np.zeros((3, 4), np.float32)
    initial_value("w", array, (3, 4), "float32", seed=42)[:] = 1
    initial_value("w", array, (4, 3), "float32", seed=42)[:] = 1
    assert not array.any()


def test_a_range_that_overflows_is_refused() -> None:
    with pytest.raises(ConfigError) as info:
        parse_init("random_uniform_initializer(-1e308, 1e308)")
    assert str(info.value) == (
        "initialiser 'random_uniform_initializer(-1e308, 1e308)': "
        "there is no finite range from minval -1e+308 to maxval 1e+308"
    )
