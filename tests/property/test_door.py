"""Wrong values at the door: whatever a network or extern_data holds is understood or told, never a traceback.

Options of the golden cases are replaced by values of other types and sizes, taken away, or added. A net that is still
understood must verify; everything else must be a :class:`UserError`.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from returnn_ir.config import load_config
from returnn_ir.config.data_options import DataOptions
from returnn_ir.construct.construct import construct
from returnn_ir.errors import UserError
from returnn_ir.ir.dims import Dim
from returnn_ir.network.layer_registry import find_layer
from returnn_ir.network.net import parse_network
from returnn_ir.options import option_hints
from returnn_ir.text.verify import verify

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = sorted(GOLDEN.glob("*/*.py"))
SECONDS = 10  # a net that takes longer to be built or refused hangs

WORDS = (
    "",
    "x",
    "data",
    "F",
    "T",
    "prev:output",
    "output",
    "data:classes",
    "1/0",
    "tanh",
    "stag:data",
    "dim:3",
    "bool",
)
NUMBERS = (-3, -1, 0, 1, 2, 2**31 - 1, 10**10, 10**30, -0.5, 0.5, 1.5, 1e300, float("nan"), float("inf"), 3 + 4j)
LISTS: tuple[Any, ...] = (
    (),
    [],
    [1],
    (2, 3),
    (-1,),
    [-1, -1],
    [10**9],
    ["a"],
    ["data", "data"],
    [None],
    [[1, 2], [3, 4]],
)
DICTS: tuple[dict[Any, Any], ...] = ({}, {"a": 1}, {1: 2}, {"class": "copy"}, {"dim": -1}, {"shape": 3})
OTHERS = (None, True, False, b"x", print, Dim("u", 3, declared=True), Dim("v", None, declared=True))
VALUES = (*WORDS, *NUMBERS, *LISTS, *DICTS, *OTHERS)

NESTED = ("unit", "subnetwork", "true_layer", "false_layer")


@contextmanager
def _limited() -> Iterator[None]:
    """Fail where something hangs; only the main thread has signals, and pytest runs in it."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"took more than {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def copied(value: Any) -> Any:
    """Containers copied, what they hold (functions, Dim objects) shared."""
    if isinstance(value, Mapping):
        return {key: copied(item) for key, item in value.items()}
    return type(value)(copied(item) for item in value) if type(value) in (list, tuple) else value


def _layers(network: dict[str, Any]) -> list[dict[str, Any]]:
    """The layer dicts, those of nested networks included."""
    found: list[dict[str, Any]] = []
    for layer in network.values():
        if isinstance(layer, dict):
            found.append(layer)
            for key in NESTED:
                inner = layer.get(key)
                if isinstance(inner, dict):
                    found.extend([inner] if "class" in inner else _layers(inner))
    return found


def _change(draw: random.Random, options: dict[Any, Any], known: list[str]) -> str:
    """Replace, add or take away one option, or an entry of it; says what."""
    key = draw.choice(list(options)) if options and draw.random() < 0.5 else draw.choice(known)
    if key in options and draw.random() < 0.1:
        del options[key]
        return f"without {key!r}"
    value, held = draw.choice(VALUES), options.get(key)
    if isinstance(held, dict) and held and key not in NESTED and draw.random() < 0.7:
        entry = draw.choice(list(held))
        options[key] = {**held, entry: value}
        return f"{key!r}[{entry!r}] = {value!r}"
    if isinstance(held, (list, tuple)) and held and draw.random() < 0.5:
        items = list(held)
        items[draw.randrange(len(items))] = value
        value = type(held)(items)
    options[key] = value
    return f"{key!r} = {value!r}"


def _try(path: Path, number: int) -> None:
    """One change of a case, the same whenever it is tried."""
    draw = random.Random(f"{path.parent.name}/{path.stem}/{number}")
    config = load_config(path)
    network, data = copied(config.network), copied(config.get("extern_data", {}))
    if data and draw.random() < 0.15:
        key = draw.choice(list(data))
        change = f"extern_data {key!r}: {_change(draw, data[key], list(option_hints(DataOptions)))}"
    else:
        layer = draw.choice(_layers(network))
        spec = find_layer(str(layer.get("class")))
        change = (
            f"{layer.get('class')}: {_change(draw, layer, list(option_hints(spec.options)) if spec else ['class'])}"
        )
    if data:
        config.set("extern_data", data)
    mode = draw.choice(("forward", "train", "eval", "search"))
    try:
        with _limited():
            verify(construct(parse_network(network, config), mode, everything=draw.random() < 0.5).graph)
    except UserError as error:
        assert str(error)
    except Exception as error:
        error.add_note(f"{path.relative_to(GOLDEN)}, change {number}, mode {mode}: {change}")
        raise


def _try_all(family: str, numbers: range) -> None:
    for path in CASES:
        if path.parent.name == family:
            for number in numbers:
                _try(path, number)


FAMILIES = sorted({path.parent.name for path in CASES})


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.filterwarnings("ignore")
def test_wrong_values_are_told(family: str) -> None:
    _try_all(family, range(2))


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.filterwarnings("ignore")
def test_many_wrong_values_are_told(family: str) -> None:
    _try_all(family, range(2, 30))
