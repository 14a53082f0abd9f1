"""The one reader of options: names, texts, other forms, what is missing and what is said, everything at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from returnn_ir.config import load_config
from returnn_ir.config.read import read_config, read_option
from returnn_ir.errors import ConfigError, Origin, ProblemList, UserError
from returnn_ir.options import (
    Alias,
    Described,
    Form,
    Key,
    LikeField,
    Range,
    Size,
    ZeroOrMore,
    check_options,
    from_text,
    option_hints,
    read_options,
)

Least1 = Annotated[int, Range(1)]


@dataclass(frozen=True, kw_only=True)
class _Keys:
    epochs: Annotated[Least1, Key("num_epochs")] = 5
    decay: Annotated[ZeroOrMore | Callable[..., float] | None, Alias("old_decay")] = 0.5
    rate: ZeroOrMore = 1.0
    first_rate: Annotated[ZeroOrMore, LikeField("rate")] = 1.0
    shuffle: bool = False
    name: str | None = None
    mode: Literal["fast", "slow"] = "fast"
    sizes: Annotated[
        tuple[Size, ...], Form(lambda given: tuple(given) if isinstance(given, list) else given), Described("sizes")
    ] = ()


@dataclass(frozen=True, kw_only=True)
class _Nested:
    count: Size
    share: Annotated[float, Range(0, 1)] = 0.0


def config_of(folder: Path, text: str, *overrides: str, name: str = "net.py") -> Any:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return load_config(str(path), list(overrides))


@pytest.mark.parametrize(
    ("text", "hint", "value"),
    [
        ("7", int, 7),
        (" -7 ", int, -7),
        ("1e-8", float, 1e-8),
        ("INF", float, float("inf")),
        ("3", int | float, 3),
        ("3", float | int, 3),
        ("3", bool | float, 3.0),
        ("3.5", int | float, 3.5),
        ("7.0", int, "7.0"),
        ("Yes", bool, True),
        ("off", bool, False),
        ("0", bool, False),
        ("maybe", bool, "maybe"),
        ("None", int | None, None),
        ("none", str | None, None),
        ("none", str, "none"),
        ("fast", Literal["fast", "slow"], "fast"),
        ("2", Literal[1, 2], 2),
        ("1,2", list[int], [1, 2]),
        ("[1, 2]", list[int], [1, 2]),
        ("1", list[int], [1]),
        ("1,2", tuple[int, ...], (1, 2)),
        ("[1, 2]", tuple[int, ...], (1, 2)),
        ("1", int | list[int], 1),
        ("a,b", str | list[str], ["a", "b"]),
        ("a", str | list[str], "a"),
        ("{'a': 1}", dict[str, int] | str, {"a": 1}),
        ("{'a': open('x')}", dict[str, int], "{'a': open('x')}"),
        ("[" * 100000, list[int], "[" * 100000),
        ("0", Least1, 0),  # out of range, which the message says of the number
    ],
)
def test_texts(text: str, hint: Any, value: object) -> None:
    found = from_text(text, hint)
    assert found == value
    assert type(found) is type(value)


def test_a_typed_config(tmp_path: Path) -> None:
    config = config_of(
        tmp_path, "num_epochs = 3\nold_decay = None\nrate = '0.25'\nshuffle = 1\nname = None\nmode = None"
    )
    assert read_config(_Keys, config) == _Keys(epochs=3, decay=None, rate=0.25, first_rate=0.25, shuffle=True)


def test_a_config_of_texts(tmp_path: Path) -> None:
    text = "num_epochs 3\ndecay none\nrate 1\nfirst_rate inf\nshuffle true\nsizes 4,5\nmode slow\nname 7\n"
    options = read_config(_Keys, config_of(tmp_path, text, name="net.config"))
    assert options == _Keys(
        epochs=3, decay=None, first_rate=float("inf"), shuffle=True, sizes=(4, 5), mode="slow", name="7"
    )
    assert type(options.rate) is float


def test_overrides_of_new_keys_are_texts(tmp_path: Path) -> None:
    options = read_config(_Keys, config_of(tmp_path, "rate = 2\n", "++num_epochs", "7", "++shuffle", "yes"))
    assert (options.epochs, options.shuffle, options.first_rate) == (7, True, 2.0)


def test_the_newer_name_wins_in_a_config() -> None:
    assert read_config(_Keys, {"decay": 0.1, "old_decay": 0.2}).decay == 0.1


@pytest.mark.parametrize("number", [True, "3", 3.0, None])
def test_no_whole_number(number: object) -> None:
    """A bool is none, nor is the text of a typed config; None is the default."""
    if number is None:
        assert read_config(_Keys, {"num_epochs": number}).epochs == 5
        return
    with pytest.raises(ConfigError, match="option 'num_epochs' has the wrong type"):
        read_config(_Keys, {"num_epochs": number})


def test_a_whole_number_that_no_float_holds() -> None:
    with pytest.raises(ConfigError, match="option 'rate' is out of range"):
        read_config(_Keys, {"rate": 10**400})


def test_everything_at_once_with_its_line(tmp_path: Path) -> None:
    text = "num_epochs = 0\nold_decay = -1\nmode = 'fats'\nsizes = [1, 0]\n"
    with pytest.raises(ProblemList) as caught:
        read_config(_Keys, config_of(tmp_path, text, "++shuffle", "maybe"))
    path = tmp_path / "net.py"
    assert [str(problem) for problem in caught.value.problems] == [
        f"{path}:1, key 'num_epochs': option 'num_epochs' is out of range\n  expected: int >= 1\n  received: 0 (int)",
        f"{path}:2, key 'old_decay': option 'old_decay' is out of range\n"
        "  expected: float >= 0 | a function | None\n  received: -1 (int)",
        "command line, key 'shuffle': option 'shuffle' has the wrong type\n"
        "  expected: True or False\n  received: 'maybe' (str)",
        f"{path}:3, key 'mode': option 'mode' has an unknown value\n"
        "  expected: 'fast' | 'slow'\n  received: 'fats' (str)\n  try: did you mean 'fast'?",
        f"{path}:4, key 'sizes': option 'sizes' is out of range\n  expected: sizes\n  received: (1, 0) (tuple)",
    ]


def test_a_dict_in_a_config(tmp_path: Path) -> None:
    config = config_of(tmp_path, "nested = {\n  'count': 2, 'share': None}\nwrong = {\n 'cuont': 2,\n 'share': 2}\n")
    assert read_option(_Nested, config, "nested", config["nested"], owner="nested") == _Nested(count=2)
    with pytest.raises(ProblemList) as caught:
        read_option(_Nested, config, "wrong", config["wrong"], owner="wrong")
    path = tmp_path / "net.py"
    assert [str(problem) for problem in caught.value.problems] == [
        f"{path}:4, key 'wrong.cuont': wrong has no option 'cuont'\n"
        "  expected: one of count, share\n  try: did you mean 'count'?",
        f"{path}:5, key 'wrong.share': wrong: option 'share' is out of range\n"
        "  expected: float from 0 to 1\n  received: 2 (int)",
        f"{path}:3, key 'wrong': wrong: option 'count' is missing\n  expected: int from 1 to 2147483647",
    ]


@dataclass(frozen=True, kw_only=True)
class _Aliased:
    new: Annotated[int, Alias("old"), Alias("older")] = 0


def place(key: str | None) -> Origin:
    return Origin(key=key)


def test_two_names_of_one_option_in_a_dict() -> None:
    assert read_options(_Aliased, {"older": 3}, place)[0] == _Aliased(new=3)
    problems = read_options(_Aliased, {"old": 1, "older": 1}, place)[1]
    assert [str(p) for p in problems] == ["key 'older': old and older mean the same\n  try: leave one away"]
    assert option_hints(_Aliased).keys() == {"new"}


def test_options_that_are_not_done() -> None:
    off: Mapping[str, tuple[object, ...]] = {"window": (None, 0, 1)}
    for silent in (None, 0, 1):
        assert read_options(_Aliased, {"window": silent}, place, owner="X", not_done=off)[1] == []
    for value in (True, 2, [0]):
        (problem,) = read_options(_Aliased, {"window": value}, place, owner="X", not_done=off)[1]
        assert str(problem) == (
            "key 'window': option 'window' of X is not supported\n"
            f"  expected: None, 0, 1\n  received: {value!r} ({type(value).__name__})\n  try: leave 'window' out"
        )


def test_hints() -> None:
    @dataclass(frozen=True)
    class Lists:
        files: Sequence[str] = ()
        clean: bool | Mapping[str, Any] = False

    problems = read_options(Lists, {"files": "a", "clean": ({},)}, place)[1]
    assert [problem.hint for problem in problems] == ["['a']", "a comma behind the value makes a tuple of it"]


def refuse(given: object) -> object:
    raise ConfigError("not understood", received=given)


@dataclass(frozen=True)
class _Refused:
    x: Annotated[int, Form(refuse)] = 0


def test_a_form_that_cannot_be_brought() -> None:
    assert [str(p) for p in read_options(_Refused, {"x": 3}, place)[1]] == ["key 'x': not understood\n  received: 3"]


def test_what_was_made_in_python_is_checked() -> None:
    @dataclass(frozen=True)
    class Made:
        size: Size = 1
        on: bool = False

        def __post_init__(self) -> None:
            check_options(self, place, owner="made")

    assert Made(on=1).on is True  # type: ignore[arg-type]
    with pytest.raises(UserError) as caught:
        Made(0, "yes")  # type: ignore[arg-type]
    assert [p.what for p in caught.value.problems] == [  # type: ignore[attr-defined]
        "made: option 'size' is out of range",
        "made: option 'on' has the wrong type",
    ]
