"""What variables were called in checkpoints of earlier versions of a network, or of TensorFlow.

A rule looks at the variables that a file lacks and at those in the file that nobody asks for, and says which of these
become which of those. RETURNN's names and layouts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from compiler.target.protocol import Array
from runtime.checkpoints.lstm_layouts import lstm_layouts

__all__ = ["RULES", "Conversion", "conversions"]


@dataclass(frozen=True)
class Conversion:
    """How a variable is made of some in a file.

    Attributes:
        names: in the file.
        convert: their values to that of the variable; None: it is the only one's.
    """

    names: tuple[str, ...]
    convert: Callable[..., Array] | None = None

    def value(self, *stored: Array) -> Array:
        """The variable's value."""
        return stored[0] if self.convert is None else self.convert(*stored)


Rule: TypeAlias = Callable[[Collection[str], Collection[str]], Mapping[str, Conversion]]


def conversions(missing: Collection[str], unused: Collection[str]) -> dict[str, Conversion]:
    """What becomes of variables that a file lacks; those that no rule knows are not there.

    Args:
        missing: what the file lacks.
        unused: variables of the file that are none of the network.
    """
    found: dict[str, Conversion] = {}
    for rule in RULES:
        found.update(rule(missing, unused))
    return found


_NORM = re.compile(r"(.*)/batch_norm/(v2_)?(beta|gamma|mean|variance)")


def _batch_norm(missing: Collection[str], unused: Collection[str]) -> dict[str, Conversion]:
    """``param_version`` 0 has the layer's name in the variable's, 1 has axes of size one, 2 only the feature axis."""
    found = {}
    for name in missing:
        match = _NORM.fullmatch(name)
        if match is None:
            continue
        scope, newest, kind = match[1], match[2], match[3]
        old = rf"{re.escape(scope)}/batch_norm/(.*_{kind}{'|' + kind if newest else ''})"
        names = [other for other in unused if re.fullmatch(old, other)]
        if len(names) == 1:
            found[name] = Conversion((names[0],), np.ravel) if newest else Conversion((names[0],))
    return found


#: Endings in a file, and what TensorFlow has called them later.
_CELLS = (
    ("lstm_cell/biases", "lstm_cell/bias"),
    ("lstm_cell/weights", "lstm_cell/kernel"),
    ("lstm_cell/bias", "rnn/lstm_cell/bias"),
    ("lstm_cell/kernel", "rnn/lstm_cell/weights"),
    ("rnn/lstm_cell/bias", "lstm_cell/bias"),
    ("rnn/lstm_cell/kernel", "lstm_cell/kernel"),
    ("cudnn/params_canonical/rnn/multi_rnn_cell/cell_0/cudnn_compatible_lstm_cell/bias", "lstm_fused_cell/bias"),
    ("cudnn/params_canonical/rnn/multi_rnn_cell/cell_0/cudnn_compatible_lstm_cell/kernel", "lstm_fused_cell/kernel"),
)


def _cells(missing: Collection[str], unused: Collection[str]) -> dict[str, Conversion]:
    found = {}
    for old in sorted(unused):
        news = [old.removesuffix(ending) + new for ending, new in _CELLS if old.endswith(f"/{ending}")]
        wanted = next((new for new in news if new in missing), None)
        if wanted is not None:
            found[wanted] = Conversion((old,))
    return found


def _lstm_layouts(missing: Collection[str], unused: Collection[str]) -> dict[str, Conversion]:
    return {name: Conversion(*made) for name, made in lstm_layouts(missing, unused).items()}


#: A later one wins.
RULES: tuple[Rule, ...] = (_lstm_layouts, _batch_norm, _cells)
