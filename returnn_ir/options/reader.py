"""Reads the options of a dict into a frozen dataclass, with every problem reported at once."""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Annotated, Any, TypeVar, get_args, get_origin

from returnn_ir.errors import ConfigError, Origin, ProblemList, UserError, did_you_mean
from returnn_ir.options.convert import convert, only_floats
from returnn_ir.options.messages import missing_option, shown, wrong_value
from returnn_ir.options.text import from_text
from returnn_ir.options.types import Alias, Form, Key, LikeField

__all__ = [
    "OptionField",
    "Place",
    "check_options",
    "checked",
    "option_fields",
    "option_hints",
    "read_keys",
    "read_options",
]

Options = TypeVar("Options")
#: Where an option stands, or with None the dict that has it.
Place = Callable[[str | None], Origin | str | None]


@dataclass(frozen=True)
class OptionField:
    """One option of a dataclass.

    Attributes:
        name: of the field.
        keys: its names in a dict, the older ones behind.
        required: it has no default.
        form: brings other forms of the value into this one.
        like: the field that it takes its default from.
    """

    name: str
    hint: Any
    keys: tuple[str, ...]
    required: bool
    form: Callable[[object], object] | None = None
    like: str | None = None


@dataclass(frozen=True)
class _Table:
    """The options of a dataclass, by every name in a dict, and those that need more than their own value."""

    fields: tuple[OptionField, ...]
    by_key: Mapping[str, OptionField]
    without_value: tuple[OptionField, ...]
    renamed: tuple[OptionField, ...]


def option_fields(cls: type[Any]) -> tuple[OptionField, ...]:
    """The options that a dataclass describes; fields with an underscore in front are none."""
    return _table(cls).fields


def option_hints(cls: type[Any]) -> Mapping[str, Any]:
    """The types of a dataclass's options, by their names in a dict."""
    return {f.keys[0]: f.hint for f in option_fields(cls)}


def _table(cls: type[Any]) -> _Table:
    return _tables(cls)  # type: ignore[arg-type]  # mypy does not see that classes hash


@functools.cache
def _tables(cls: type[Any]) -> _Table:
    hints = typing.get_type_hints(cls, include_extras=True)
    required = {f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING}
    found = tuple(_field(f.name, hints[f.name], f.name in required) for f in fields(cls) if f.name[0] != "_")
    return _Table(
        found,
        {key: f for f in found for key in f.keys},
        tuple(f for f in found if f.required or f.like),
        tuple(f for f in found if len(f.keys) > 1),
    )


def _field(name: str, hint: Any, required: bool) -> OptionField:
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    key = next((mark.name for mark in marks if isinstance(mark, Key)), name)
    aliases = [mark.name for mark in marks if isinstance(mark, Alias)]
    return OptionField(
        name,
        hint,
        (key, *aliases),
        required,
        next((mark.bring for mark in marks if isinstance(mark, Form)), None),
        next((mark.field for mark in marks if isinstance(mark, LikeField)), None),
    )


# ---------------------------------------------------------------- dicts: a key that is not known is a problem


def read_options(
    cls: type[Options],
    raw: Mapping[Any, object],
    place: Place,
    *,
    common: frozenset[str] = frozenset(),
    owner: str = "",
    unset: bool = False,
    not_done: Mapping[str, tuple[object, ...]] | None = None,
) -> tuple[Options | None, list[UserError]]:
    """Typed options of a dict, and everything that is wrong with it. Keys that begin with ``#`` are comments.

    Args:
        cls: a dataclass, whose fields are the options.
        place: where an option stands (None: the dict), for messages.
        common: options that many kinds of dicts have, which a message does not list.
        owner: what has these options (``loss 'ce'``), where the place does not tell.
        unset: None means that an option is not set, where it is no value of it.
        not_done: options that RETURNN has and we have not, with the values that ask for nothing.
    """
    table = _table(cls)
    problems = _unknown_keys(raw, table.by_key, place, common, owner, not_done or {})
    for field in table.renamed:
        first, *others = _given(field, raw) or [""]
        problems.extend(
            ConfigError(f"{first} and {key} mean the same", where=place(key), hint="leave one away") for key in others
        )
    keys = [key for key in raw if key in table.by_key]
    return _read(cls, keys, raw, _Reading(place, problems, owner, unset))


def _given(field: OptionField, raw: Mapping[Any, object]) -> list[str]:
    """The names of an option that a dict gives a value to, the newest first; None is none."""
    return [key for key in field.keys if raw.get(key) is not None]


def _unknown_keys(
    raw: Mapping[Any, object],
    known: Mapping[str, object],
    place: Place,
    common: frozenset[str],
    owner: str,
    off: Mapping[str, tuple[object, ...]],
) -> list[UserError]:
    problems: list[UserError] = []
    for key, value in raw.items():
        if not isinstance(key, str):
            whose = f" of {owner}" if owner else ""
            what = f"the name of an option{whose} must be a text"
            problems.append(ConfigError(what, where=place(None), received=shown(key)))
        elif key in known or key.startswith("#"):
            continue
        elif key not in off:
            problems.append(_unknown(key, known, place, common, owner, off))
        elif not _is_off(value, off[key]):
            problems.append(_not_done(key, value, place, owner, off[key]))
    return problems


def _unknown(
    key: str,
    known: Mapping[str, object],
    place: Place,
    common: frozenset[str],
    owner: str,
    off: Mapping[str, tuple[object, ...]],
) -> UserError:
    own = f"one of {', '.join(names)}" if (names := sorted(k for k in known if k not in common)) else ""
    expected = " or ".join(part for part in (own, "a common option" if common else "") if part)
    return ConfigError(
        f"{owner} has no option {key!r}" if owner else f"unknown option {key!r}",
        where=place(key),
        expected=expected or "no options",
        hint=did_you_mean(key, [*known, *off]),
    )


def _is_off(value: object, off: tuple[object, ...]) -> bool:
    """Whether a value of an option that is not done asks for nothing."""
    return isinstance(value, (int, float, str, type(None))) and value is not True and value in off


def _not_done(key: str, value: object, place: Place, owner: str, off: tuple[object, ...]) -> UserError:
    return ConfigError(
        f"option {key!r} of {owner} is not supported",
        where=place(key),
        expected=", ".join(map(repr, off)),
        received=shown(value),
        hint=f"leave {key!r} out",
    )


# ---------------------------------------------------------------- configs: other keys are none of the reader's business


def read_keys(
    cls: type[Options], config: Mapping[str, object], place: Place, is_text: Callable[[str], bool]
) -> tuple[Options | None, list[UserError]]:
    """The options of a config that a dataclass describes, and everything that is wrong with them.

    As in RETURNN, None means that an option is not set where it is no value of it, and the text of a number counts
    as a number where that need not be whole (``"1e-8"``, ``"inf"``).

    Args:
        is_text: whether a key's value is a text without a type (``key value`` lines, overrides of new keys).
    """
    keys = [key for f in option_fields(cls) for key in f.keys if key in config]
    return _read(cls, keys, config, _Reading(place, [], "", True, is_text))


@dataclass(frozen=True)
class _Reading:
    """How values are read.

    Attributes:
        problems: what was found to be wrong so far.
        unset: None means that an option is not set, and a number whose type has no whole ones is a float.
        is_text: of a config, whether a value is a text without a type.
    """

    place: Place
    problems: list[UserError]
    owner: str
    unset: bool
    is_text: Callable[[str], bool] | None = None


def _read(
    cls: type[Options], keys: Sequence[str], raw: Mapping[Any, object], how: _Reading
) -> tuple[Options | None, list[UserError]]:
    table, values = _table(cls), dict[str, Any]()
    for key in keys:
        field = table.by_key[key]
        if len(field.keys) > 1 and key != (_given(field, raw) or [key])[0]:
            continue
        text = how.is_text is not None and how.is_text(key)
        if how.unset and _is_unset(raw[key], field.hint, text=text):
            continue
        values[field.name] = _value(field, key, raw[key], how, text=text)
    for field in table.without_value:
        if field.name in values:
            continue
        if field.like in values:
            values[field.name] = values[field.like]
        elif field.required:
            how.problems.append(missing_option(field.keys[0], field.hint, how.place(None), how.owner))
    return (None, how.problems) if how.problems else (cls(**values), [])


def _value(field: OptionField, key: str, value: object, how: _Reading, *, text: bool) -> Any:
    """The value of an option by its type; what is wrong with it is noted."""
    if isinstance(value, str) and how.is_text is not None:
        value = _read_text(value, field.hint, typed=not text)
    if field.form is not None:
        try:
            value = field.form(value)
        except UserError as error:
            error.where = error.where or how.place(key)
            how.problems.append(error)
            return None
    ok, converted = convert(value, field.hint)
    if not ok:
        how.problems.append(wrong_value(key, value, field.hint, how.place(key), how.owner))
        return None
    return only_floats(converted, field.hint) if how.unset else converted


def _is_unset(value: object, hint: Any, *, text: bool) -> bool:
    """Whether None, or a text that stands for nothing, is no value of the type."""
    nothing = value is None or (text and str(value).lower() in ("", "none"))
    return nothing and not convert(value, hint)[0] and (value == "" or not convert(None, hint)[0])


def _read_text(text: str, hint: Any, *, typed: bool) -> object:
    """A text by the type; one in a typed config only as a number."""
    if not typed:
        return from_text(text, hint)
    if convert(text, hint)[0] or not convert(0.5, hint, ranges=False)[0]:
        return text
    return from_text(text, float)


# ---------------------------------------------------------------- dataclasses that were made in Python


def check_options(options: object, place: Place, *, owner: str = "") -> None:
    """Checks the fields of a dataclass that was made in Python, and puts the converted values into them.

    For ``__post_init__``.

    Raises:
        UserError: everything that is wrong.
    """
    problems = []
    for field in option_fields(type(options)):
        value = getattr(options, field.name)
        ok, converted = convert(value, field.hint)
        if not ok:
            problems.append(wrong_value(field.keys[0], value, field.hint, place(field.keys[0]), owner))
        elif converted is not value:
            object.__setattr__(options, field.name, converted)
    if problems:
        raise _together(problems)


def checked(result: tuple[Options | None, list[UserError]]) -> Options:
    """What was read.

    Raises:
        UserError: the problem, or the list of them.
    """
    options, problems = result
    if options is None:
        raise _together(problems)
    return options


def _together(problems: list[UserError]) -> UserError:
    return problems[0] if len(problems) == 1 else ProblemList(problems)
