"""Random nets: those whose numbers RETURNN recorded agree; the generator knows all layer classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.check import check_case
from returnn_ir.network.layer_registry import layer_names
from runtime.deployment.session import OnnxSession
from tests.judging.compare import TARGETS
from tests.random_nets.chosen import RECORDED
from tests.random_nets.generate import random_net
from tests.random_nets.registry import families

#: Layer classes that no family makes, and why.
NOT_MADE = {
    "hdf_dump": "RETURNN writes a file when it runs",
    "image_summary": "RETURNN draws for TensorBoard, and asserts without it",
    "twod_lstm": "RETURNN has it for a GPU only",
    "scaled_gradient": "another name of scaled_grad, which RETURNN does not know",
}


def recorded() -> list[Path]:
    return sorted(RECORDED.glob("*.py"))


@pytest.mark.parametrize("path", recorded(), ids=lambda path: path.stem)
def test_recorded_net(path: Path) -> None:
    """Outputs, lengths, losses, state and (tf) gradients are RETURNN's on all targets."""
    for target in TARGETS:
        report = check_case(path, target, open_model=OnnxSession)
        assert report.ok, f"{path.name} on {target}: {report.reason}"


def test_recorded_nets_are_many_and_small() -> None:
    assert len(recorded()) == 50
    assert sum(file.stat().st_size for file in RECORDED.iterdir()) < 3 << 20


def test_every_layer_class_is_made() -> None:
    """A family for each class, but for those that cannot be judged."""
    made = {name for family in families() for name in family.classes}
    assert made - set(layer_names()) == set()
    assert set(layer_names()) - made == set(NOT_MADE)


def test_the_same_net_again() -> None:
    """A number and a seed say which net; whatever was generated before."""
    again = random_net(17)
    assert [random_net(n).text for n in (3, 17)][1] == again.text
    assert random_net(17, seed=2).text != again.text


def test_families_make_what_they_say() -> None:
    """In as many nets as there are families, nearly all of them find something to work on."""
    nets = [random_net(number) for number in range(2 * len(families()))]
    made = {name for net in nets for name in net.classes}
    missing = {name for family in families() for name in family.classes} - made
    assert len(missing) <= 6, sorted(missing)
    for net in nets:
        compile(net.text, f"net{net.number}", "exec")
