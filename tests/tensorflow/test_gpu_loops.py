"""Programs for a GPU, without one: their loops on RETURNN's numbers, and what a step of them executes."""

from __future__ import annotations

import pytest

from compiler.check import check_case
from compiler.tensorflow.device import Device
from tests.conformance.gaps import GOLDEN
from tests.gpu.launches import NETS, executed


@pytest.mark.parametrize(
    "case",
    [
        "rec_subnet/own_two_loops_attention",
        "rec_subnet/init_axis_location_attention",
        "rec_subnet/last_output",
        "rec_subnet/lnlstm_in_loop",
        "rec_subnet/lstm_cells",
        "rec_subnet/own_trained_states",
        "attention/location_conv_feedback",
        "rec_units/gru",
        "rec_units/gru_last_state",
    ],
)
def test_golden_cases(case: str) -> None:
    """Gradients included; the cases have more steps than a turn, and a number of them that is no multiple of it."""
    report = check_case(GOLDEN / f"{case}.py", "tf", device="gpu")
    assert report.ok, report.reason


def test_devices() -> None:
    assert [Device(kind).steps_at_once for kind in ("cpu", "gpu", "both")] == [1, 4, 1]


def test_what_a_step_executes() -> None:
    """Kernels, and all ops, of the attention decoder's step: 92 and 447 at first, for both devices."""
    for device, kernels, ops in (("cpu", 79, 386), ("gpu", 65, 236)):
        counts = [executed(NETS["attention"](), device).per_frame(gradient) for gradient in (False, True)]
        assert round(sum(found["kernels"] for found in counts)) <= kernels
        assert round(sum(sum(found.values()) for found in counts)) <= ops


def test_a_transformer_decoder_has_no_loop_in_training() -> None:
    assert not executed(NETS["transformer"](), "cpu").ops
