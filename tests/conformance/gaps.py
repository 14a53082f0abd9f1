"""Known gaps: golden cases that are expected not to pass, each with its reason. They make docs/support.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from returnn_ir.config import load_config
from returnn_ir.network.layer_registry import find_layer

__all__ = ["GOLDEN", "TARGETS", "all_cases", "gap"]

GOLDEN = Path(__file__).parent.parent / "golden"
TARGETS = ("reference", "tf", "onnx")


@dataclass(frozen=True)
class Gap:
    """Why some cases do not pass on some targets."""

    reason: str
    cases: tuple[str, ...]
    targets: tuple[str, ...] = TARGETS


_RANDOM = (
    "losses/own_nce",
    "losses/own_nce_in_loop",
    "losses/own_nce_splits",
    "rec_subnet/own_dropout_in_loop",
    "rec_subnet/own_sampled_target_dims",
    "rec_subnet/own_sampled_target_only",
    "search/own_random_sample",
    "search/own_sampling",
    "shape/own_thinned",
    "variables_random_state/random_static",
)

_PYTHON = ("search/own_python_on_hypotheses", "search/own_text_recombination")

#: Gaps of single cases. Cases of classes that do not exist yet are found by :func:`gap` itself.
GAPS: tuple[Gap, ...] = (
    Gap("an ONNX model draws no random numbers", _RANDOM, ("onnx",)),
    Gap("Python code of the config that only TensorFlow runs", _PYTHON, ("reference", "onnx")),
    Gap("a derivative as a layer: only TensorFlow differentiates", ("losses/gradient_layer",), ("reference", "onnx")),
)


def all_cases() -> list[str]:
    """Every case as ``family/name``, sorted."""
    return sorted(f"{p.parent.name}/{p.stem}" for p in GOLDEN.glob("*/*.py"))


def gap(case: str, target: str) -> str | None:
    """The reason why a case is not expected to pass on a target, None if it is."""
    for entry in GAPS:
        if case in entry.cases and target in entry.targets:
            return entry.reason
    return _missing(case)


@cache
def _missing(case: str) -> str | None:
    network = load_config(GOLDEN / f"{case}.py").network or {}
    missing = sorted({name for name, _ in _classes(network) if find_layer(name) is None})
    return f"layer class {', '.join(missing)} does not exist yet" if missing else None


#: The options of a layer that hold a network or a layer; other dicts with a "class" are initialisers.
_NESTED = ("unit", "subnetwork", "true_layer", "false_layer", "condition")


def _classes(network: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All layers of a network and of those nested in it, with their class names."""
    for layer in network.values():
        if isinstance(layer, Mapping) and isinstance(layer.get("class"), str):
            yield layer["class"], layer
            for value in (layer.get(key) for key in _NESTED):
                if isinstance(value, Mapping):
                    yield from _classes({"nested": value} if isinstance(value.get("class"), str) else value)
