"""Random spellings of attention: fused or not, on every target, they give what the reference makes of the spelling."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.onnx.profile import Profile
from compiler.onnx.target import OnnxTarget
from compiler.program.pipelines import lower_to
from compiler.reference.target import ReferenceTarget
from compiler.target.protocol import Array, Target
from compiler.tensorflow.program import TensorFlowProgram
from compiler.tensorflow.target import TensorFlowTarget
from tests.property.attention_nets import AttentionNet

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]
_NEVER = {"attention": "never"}
Fusion = Mapping[str, str]


def _chooser(numbers: list[int]) -> Callable[[int], int]:
    """The same choices again and again."""
    rest = iter(numbers)
    return lambda n: next(rest) % n


def _net(numbers: list[int], *, draws: bool = False, gaps: bool = True) -> AttentionNet:
    return AttentionNet(_chooser(numbers), draws=draws, gaps=gaps).build()


def _run(net: AttentionNet, target: Target, fusion: Fusion) -> tuple[Array, int]:
    """The result on a target, and how many attentions were one op there."""
    graph, _ = lower_to(net.graph, target, verify_each=True, fusion=fusion)
    found = target.lower(graph).run(net.inputs, net.params)["output/y"]
    return found, sum(1 for _ in graph.nodes("attention"))


def _compare(numbers: list[int], targets: Mapping[str, tuple[Target, Fusion, bool]], *, draws: bool) -> None:
    """Targets with how they fuse, and whether they have to."""
    net = _net(numbers, draws=draws)
    spelled = ReferenceTarget().lower(net.graph).run(net.inputs, net.params)["output/y"]
    expected = np.asarray(spelled)
    order = [d.name for d in net.graph.outputs["y"].axes]
    assert np.isfinite(expected).all(), net.built
    for name, (target, fusion, fuses) in targets.items():
        other = _net(numbers, draws=draws)
        received, fused = _run(other, target, fusion)
        assert fused == fuses, (name, other.built)
        assert [d.name for d in other.graph.outputs["y"].axes] == order
        np.testing.assert_allclose(received, expected, rtol=2e-4, atol=2e-5, err_msg=f"{name}: {net.built}")


def _check_without_tensorflow(numbers: list[int]) -> None:
    contrib = OnnxTarget(profile=Profile.ONNXRUNTIME)
    _compare(
        numbers,
        {
            "reference": (ReferenceTarget(), {}, True),
            "reference, never": (ReferenceTarget(), _NEVER, False),
            "onnxruntime": (contrib, {"attention": "require"}, True),
            "onnxruntime, never": (contrib, _NEVER, False),
            "portable": (OnnxTarget(), {}, False),
        },
        draws=False,
    )


def _check_tensorflow(numbers: list[int], *, draws: bool) -> None:
    in_loop = any(choice in ("place=step", "place=beam") for choice in _net(numbers).built)
    target = TensorFlowTarget()
    _compare(numbers, {"tf": (target, {}, not in_loop), "tf, never": (target, _NEVER, False)}, draws=draws)
    programs: list[tuple[TensorFlowProgram, AttentionNet]] = []
    for fusion in ({}, _NEVER):
        net = _net(numbers, draws=draws, gaps=False)  # where written out, gradients are no numbers there
        graph, _ = lower_to(net.graph, target, fusion=fusion)
        programs.append((target.lower(graph), net))
    fused, spelled = (program.gradients(net.inputs, net.params) for program, net in programs)
    assert fused.keys() == spelled.keys()
    for key, gradient in spelled.items():
        largest = max(float(np.abs(gradient).max()), 1.0)
        np.testing.assert_allclose(fused[key], gradient, rtol=1e-3, atol=1e-4 * largest, err_msg=f"{key}: {net.built}")


_NUMBERS = st.lists(st.integers(0, 839), min_size=24, max_size=24)


@settings(max_examples=25, deadline=None, suppress_health_check=_QUIET)
@given(_NUMBERS)
def test_attention(numbers: list[int]) -> None:
    _check_without_tensorflow(numbers)


@settings(max_examples=6, deadline=None, suppress_health_check=_QUIET)
@given(_NUMBERS, st.booleans())
def test_attention_in_tensorflow(numbers: list[int], draws: bool) -> None:
    _check_tensorflow(numbers, draws=draws)


@pytest.mark.slow
@settings(max_examples=600, deadline=None, suppress_health_check=_QUIET)
@given(_NUMBERS)
def test_many_attentions(numbers: list[int]) -> None:
    _check_without_tensorflow(numbers)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=_QUIET)
@given(_NUMBERS, st.booleans())
def test_many_attentions_in_tensorflow(numbers: list[int], draws: bool) -> None:
    _check_tensorflow(numbers, draws=draws)
