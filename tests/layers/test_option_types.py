"""Types and ranges of options: what each declares, and how a message says it."""

from __future__ import annotations

import math
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import numpy as np
import pytest

from returnn_ir import load
from returnn_ir.errors import Origin, UserError
from returnn_ir.network.layer_options import LayerRef, SourceOptions
from returnn_ir.network.layer_registry import find_layer, layer_names
from returnn_ir.options import Count, DType, Finite, Positive, Probability, Range, Share, Size, fits, option_hints
from returnn_ir.options import read_options as read

#: Options whose every number means something, or whose range only the layer knows (classes, axes, zero as a step).
WITHOUT_RANGE = {
    *("blank_idx", "blank_index", "increase_sparse_dim"),
    *("axis", "enforce_batch_dim_axis", "copy_output_loss_from_source_idx", "declare_same_sizes_as"),
    *("amount", "slice_end", "slice_step", "start", "limit", "delta", "window_start", "query_offset"),
    *("value", "pad_value", "fill_value", "mask_value", "postfix", "prefix", "true_from", "false_from"),
    *("mean", "bound", "minval", "maxval", "scale", "shift"),
    *("constant", "key", "nr_of_frames", "summarize"),
}


def _is_plain(hint: Any) -> bool:
    if get_origin(hint) is Annotated:
        return False
    return hint in (int, float) or any(_is_plain(part) for part in get_args(hint))


def test_numbers_of_layers_have_ranges() -> None:
    """A new option has one, or is named above."""
    plain: set[str] = set()
    for name in layer_names():
        spec = find_layer(name)
        assert spec is not None
        plain.update(key for key, hint in option_hints(spec.options).items() if _is_plain(hint))
    assert plain == WITHOUT_RANGE


@pytest.mark.parametrize(
    ("hint", "good", "bad"),
    [
        (Size, (1, 7, np.int64(3), 2**31 - 1), (0, -1, 2**31, True, 1.0, "1", None)),
        (Count, (0, 5), (-1, False, 0.0)),
        (Share, (0, 0.0, 0.5, False, np.float32(0.25)), (1, 1.0, -0.1, math.nan, True, "0.1")),
        (Probability, (0, 1, 0.3), (1.0001, -1e-9, math.nan)),
        (Positive, (1e-300, 3), (0, 0.0, -1.0, math.inf)),
        (Finite, (0, -1e300, 7), (math.inf, -math.inf, math.nan, 10**400)),
        (float, (math.inf, -math.inf, 1), (math.nan, 10**400)),
        (int, (-(2**63), 2**63 - 1), (2**63, 0.5, True, False)),
        (bool, (True, 0, 1, np.bool_(False)), (2, "yes", None, 1.0)),
        (Literal[-1, 1], (1, -1, np.int32(1)), (0, True, 1.0, "1")),
        (DType, ("int32",), ("int", 5, ["int32"])),
        (list[Size], ([1, 2], []), ([0], (1, 2), [1, None])),
        (dict[str, Size] | None, ({"a": 1}, None), ({"a": 0}, {1: 1}, [])),
        (LayerRef | Size, ("x", 3), (0, 2.5)),
    ],
)
def test_what_fits(hint: Any, good: tuple[object, ...], bad: tuple[object, ...]) -> None:
    assert [value for value in good if not fits(value, hint)] == []
    assert [value for value in bad if fits(value, hint)] == []


@dataclass(frozen=True, kw_only=True)
class _Options:
    size: Size | None = None
    sizes: Size | list[Size] = 1
    share: Share = 0.0
    scale: Finite = 1.0
    mode: Literal["same", "valid"] = "same"
    axis: Annotated[int, Range(0, 3)]


SIZE, SHARE, OUT = "int from 1 to 2147483647", "expected: float >= 0 and < 1", "is out of range"
ZEROS = [0] * 100


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        ({"size": -3}, (f"option 'size' {OUT}", f"expected: {SIZE} | None", "received: -3 (int)")),
        ({"size": "3"}, ("option 'size' has the wrong type", f"expected: {SIZE} | None", "received: '3' (str)")),
        (
            {"sizes": [0]},
            (f"option 'sizes' {OUT}", f"expected: {SIZE} | list of {SIZE}", "received: [0] (list)"),
        ),
        ({"share": 2}, (f"option 'share' {OUT}", SHARE, "received: 2 (int)")),
        (
            {"share": math.nan},
            ("option 'share' is not a number", SHARE, "received: nan (float)"),
        ),
        (
            {"scale": math.inf},
            ("option 'scale' is out of range", "expected: float that is finite", "received: inf (float)"),
        ),
        ({"axis": 4}, ("option 'axis' is out of range", "expected: int from 0 to 3", "received: 4 (int)")),
        ({7: 1}, ("the name of an option must be a text", "received: 7 (int)")),
        (
            {"mode": "sme"},
            (
                "option 'mode' has an unknown value",
                "expected: 'same' | 'valid'",
                "received: 'sme' (str)",
                "try: did you mean 'same'?",
            ),
        ),
        (
            {"axiss": 1},
            (
                "unknown option 'axiss'",
                "expected: one of axis, mode, scale, share, size, sizes",
                "try: did you mean 'axis'?",
            ),
        ),
        (
            {"size": ZEROS},
            (
                "option 'size' has the wrong type",
                f"expected: {SIZE} | None",
                f"received: {str(ZEROS)[:200]} ... (list)",
            ),
        ),
    ],
)
def test_what_is_said(raw: dict[Any, object], lines: tuple[str, ...]) -> None:
    """The whole message, without the place."""
    options, problems = read(_Options, {"axis": 1, **raw}, lambda key: Origin())
    assert options is None
    assert [str(problem) for problem in problems] == ["\n  ".join(lines)]


def test_all_at_once_and_what_is_missing() -> None:
    options, problems = read(_Options, {"size": 0, "share": 1, "#note": 5}, lambda key: Origin(key=key or "all"))
    assert options is None
    assert [str(p).splitlines()[0] for p in problems] == [
        "key 'size': option 'size' is out of range",
        "key 'share': option 'share' is out of range",
        "key 'all': option 'axis' is missing",
    ]
    good, problems = read(_Options, {"axis": np.int64(2), "size": np.int32(5)}, lambda key: Origin())
    assert problems == []
    assert good == _Options(axis=2, size=5)
    assert good is not None
    assert type(good.size) is int


def required(name: str) -> list[str]:
    spec = find_layer(name)
    assert spec is not None
    return [f.name for f in fields(spec.options) if f.default is MISSING and f.default_factory is MISSING]


@pytest.mark.parametrize("name", [name for name in layer_names() if required(name)])
def test_a_missing_option_is_told_whatever_things_are_called(name: str, tmp_path: Path) -> None:
    """Also where the file, its folder and the layer have its name."""
    for option in required(name):
        path = tmp_path / option / f"{option}.py"
        path.parent.mkdir()
        path.write_text(f"extern_data = {{'data': {{'dim': 4}}}}\nnetwork = {{{option!r}: {{'class': {name!r}}}}}\n")
        with pytest.raises(UserError) as caught:
            load(path, ["++behavior_version", "0"])
        assert f"{path}:2): option {option!r} is missing" in str(caught.value)


def test_common_options_are_those_of_all_layers() -> None:
    """The list of what a layer takes leaves them out."""
    spec = find_layer("copy")
    assert spec is not None
    assert set(option_hints(SourceOptions)) < set(option_hints(spec.options))
