"""Every pass by its name, and lists of passes as text, as command lines and text tests write them::

    simplify, fold_constants{max_entries=8}, cse

A pass is found because it is here: a class derived from :class:`Pass` in a module of this package. Its options are the
fields of its class, in braces where they differ from their defaults.
"""

from __future__ import annotations

import functools
import inspect
import json
import sys
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields
from typing import TypeGuard

from compiler.passes.base import Pass
from returnn_ir.errors import IRError, UserError, did_you_mean
from returnn_ir.ir.mode import Stage
from returnn_ir.registry import import_modules
from returnn_ir.text.attributes import AttributeParser
from returnn_ir.text.tokens import Token

__all__ = ["all_passes", "describe_passes", "parse_passes", "pass_text"]

_PACKAGE = "compiler.passes"
_NO_GROUPS: Mapping[str, Sequence[Pass]] = {}


@functools.cache
def all_passes() -> Mapping[str, type[Pass]]:
    """The classes of all passes by name, in the order of the names."""
    import_modules(_PACKAGE)
    modules = [module for name, module in sys.modules.items() if name.startswith(f"{_PACKAGE}.")]
    found: dict[str, type[Pass]] = {}
    for made in (cls for module in modules for cls in vars(module).values() if _is_pass(cls)):
        other = found.setdefault(made.name, made)
        if other is not made:
            raise IRError(f"two passes are named {made.name!r}: {other.__module__}, {made.__module__}")
    return dict(sorted(found.items()))


def _is_pass(value: object) -> TypeGuard[type[Pass]]:
    return isinstance(value, type) and issubclass(value, Pass) and not inspect.isabstract(value)


def pass_text(pass_: Pass) -> str:
    """A pass as :func:`parse_passes` reads it, with the options that are not the default."""
    options = {f.name: getattr(pass_, f.name) for f in fields(pass_)}
    shown = [f"{f.name}={json.dumps(options[f.name])}" for f in fields(pass_) if options[f.name] != f.default]
    return f"{pass_.name}{{{', '.join(shown)}}}" if shown else pass_.name


def describe_passes() -> list[str]:
    """A line for each pass: its name, its options with their defaults, the stages it takes and makes, what it does."""
    rows = []
    for name, cls in all_passes().items():
        options = ", ".join(f"{f.name}={json.dumps(f.default)}" for f in fields(cls))
        stages = "any" if cls.requires == tuple(Stage) else "|".join(cls.requires)
        summary = (inspect.getdoc(cls) or "").partition("\n")[0].replace("``", "")
        rows.append((f"{name}{{{options}}}" if options else name, stages, cls.ensures or "", summary))
    name_width, stage_width = (max(len(row[i]) for row in rows) for i in (0, 1))
    return [
        f"{name:{name_width}}  {stages:{stage_width}}  {f'-> {made}' if made else '':9}  {summary}"
        for name, stages, made, summary in rows
    ]


def parse_passes(text: str, groups: Mapping[str, Sequence[Pass]] = _NO_GROUPS) -> tuple[Pass, ...]:
    """The passes of a list.

    Args:
        text: names, separated by commas, with options in braces.
        groups: names that stand for several passes, such as those of pipelines.

    Raises:
        UserError: no pass is called that, it has no such option, or the option is of another type.
    """
    return _ListParser(text, groups).passes()


class _ListParser(AttributeParser):
    """``item ("," item)*`` with ``item = name ("{" name "=" value ("," ...)* "}")?``."""

    def __init__(self, text: str, groups: Mapping[str, Sequence[Pass]]) -> None:
        super().__init__(text)
        self._groups = groups

    def passes(self) -> tuple[Pass, ...]:
        found = [*self._item()]
        while self.accept(","):
            found.extend(self._item())
        if self.peek.kind != "end":
            raise self.peek.error("unexpected text", expected="a comma")
        return tuple(found)

    def _item(self) -> Sequence[Pass]:
        name = self.expect("name")
        if name.text in self._groups:
            return self._groups[name.text]
        made = all_passes().get(name.text)
        if made is None:
            hint = did_you_mean(name.text, [*all_passes(), *self._groups])
            raise UserError(f"no pass is named {name.text!r}", hint=hint or "returnn-opt --list names all passes")
        return [self._made(made)]

    def _made(self, cls: type[Pass]) -> Pass:
        known = {f.name: f for f in fields(cls)}
        types = typing.get_type_hints(cls)
        options: dict[str, object] = {}
        for name, value in self.until("}", self._option) if self.accept("{") else []:
            if name not in known:
                listed = ", ".join(known) or "no options"
                hint = did_you_mean(name, known)
                raise UserError(f"pass {cls.name!r} has no option {name!r}", expected=listed, hint=hint)
            if type(value) is not types[name]:
                raise UserError(
                    f"option {name!r} of pass {cls.name!r} has the wrong type",
                    expected=types[name].__name__,
                    received=json.dumps(value),
                )
            options[name] = value
        missing = [f.name for f in known.values() if _is_required(f) and f.name not in options]
        if missing:
            raise UserError(f"pass {cls.name!r} needs options", expected=f"{cls.name}{{{missing[0]}=...}}")
        return cls(**options)

    def _option(self) -> tuple[str, object]:
        name = self.expect("name").text
        self.symbol("=")
        token = self.peek
        if token.kind == "name":
            return name, self._truth(self.advance())
        return name, self.string() if token.kind == "string" else self.number()

    @staticmethod
    def _truth(token: Token) -> bool:
        if token.text not in ("true", "false"):
            raise token.error("unexpected text", expected="true, false, a number or a string in double quotes")
        return token.text == "true"


def _is_required(field: Field[object]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING
