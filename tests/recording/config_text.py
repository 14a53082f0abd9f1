"""A network of live objects (RETURNN's dims, functions) as the text of a config that makes the same network."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Sequence
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

__all__ = ["CannotWrite", "ConfigText"]

_IMPORTS = """\
from math import inf, nan
from returnn.tensor import Dim, Tensor, batch_dim, single_step_dim
from returnn.tf.util.data import ImplicitDynSizeDim, ImplicitSparseDim, OptionalDim
"""

#: Dims by what they are made of, as RETURNN calls the operation.
_DERIVED = {
    "add": "{} + {}",
    "sub": "{} - {}",
    "mul": "{} * {}",
    "floordiv": "{} // {}",
    "floordiv_right": "{} // {}",
    "ceildiv": "{}.ceildiv_right({})",
    "ceildiv_right": "{}.ceildiv_right({})",
    "truediv_right": "{}.div_right({})",
    "truediv_left": "{}.div_left({})",
}
_TENSORFLOW_1 = "tensorflow.compat.v1"
#: What is there where RETURNN is; other modules stand in for those of the config's author.
_MODULES = sys.stdlib_module_names | {"numpy", "returnn", "tensorflow"}
_PLAIN = (bool, int, float, str, bytes, type(None))
_OWN_NAMES = frozenset({"network", "extern_data", "case", "target", "behavior_version"})


class CannotWrite(Exception):
    """An object that a config's text cannot make."""


class ConfigText:
    """Statements that define what an expression needs, made while the expression is."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._names: dict[int, str] = {}
        self._begun: list[FunctionType] = []
        self._held: list[object] = []  # as long as its id is a key, an object must live

    @property
    def has_dims(self) -> bool:
        """Whether a dim was written; data are best described by dims then."""
        return any(type(held).__name__ == "Dim" for held in self._held)

    def text(self, comment: str, assignments: dict[str, str]) -> str:
        """The whole config.

        Raises:
            CannotWrite: the text is no Python.
        """
        ends = [f"{name} = {value}" for name, value in assignments.items()]
        text = "\n".join(["#!rnn.py", f"# {comment}", _IMPORTS.rstrip(), *self._lines, *ends]) + "\n"
        try:
            ast.parse(text)
        except SyntaxError as error:
            raise CannotWrite(f"not Python: {error.msg}") from error
        return text

    def value(self, value: Any) -> str:
        """An expression for a value.

        Raises:
            CannotWrite: there is none.
        """
        if isinstance(value, np.generic):
            return repr(value.item())  # some are also Python's numbers, and are written in another way
        if isinstance(value, _PLAIN):
            return repr(value)
        if isinstance(value, np.ndarray):
            self.define("numpy", np)
            return f"numpy.array({value.tolist()!r}, dtype={str(value.dtype)!r})"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{self.value(k)}: {self.value(v)}" for k, v in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(self.value, value)) + "]"
        if isinstance(value, tuple):
            return "(" + "".join(f"{self.value(v)}, " for v in value) + ")"
        if isinstance(value, set | frozenset):
            return "{" + ", ".join(map(self.value, value)) + "}" if value else "set()"
        if hasattr(value, "tag") and type(value).__name__ in ("ImplicitDynSizeDim", "ImplicitSparseDim", "OptionalDim"):
            return f"{type(value).__name__}({self.value(value.tag)})"
        if type(value).__name__ == "Dim":
            return self._dim(value)
        if isinstance(value, FunctionType):
            return self._function(value)
        raise CannotWrite(f"an object of {type(value).__name__}")

    def define(self, name: str, value: object) -> None:
        """A statement that gives a value a name.

        Raises:
            CannotWrite: there is no expression for it.
        """
        if isinstance(value, ModuleType):
            if value.__name__.partition(".")[0] not in _MODULES:
                raise CannotWrite(f"the module {value.__name__}")
            line = f"import {_TENSORFLOW_1 if value.__name__ == 'tensorflow' else value.__name__} as {name}"
        else:
            expression = self.value(value)
            if expression == name:
                return
            line = f"{name} = {expression}"
        if line not in self._lines:
            self._lines.append(line)

    def _dim(self, dim: Any) -> str:
        if dim.is_batch_dim():
            return "batch_dim"
        if dim.name == "single-step":
            return "single_step_dim"
        if id(dim) in self._names:
            return self._names[id(dim)]
        base = dim.get_same_base()
        if base is not dim and base.match_priority == dim.match_priority:
            return self._dim(base)  # both are one since the test said so
        if base is not dim:
            expression = f"{self._dim(base)}.copy(match_priority={dim.match_priority})"
        else:
            expression = self._derived(dim) or self._declared(dim)
        return self._define(dim, f"d_{dim.name}", lambda name: f"{name} = {expression}")

    def _derived(self, dim: Any) -> str | None:
        if hasattr(dim, "expr"):
            return self._of_ours(dim)
        made_of = dim.derived_from_op
        if made_of is None or made_of.kind == "constant":
            return None
        if made_of.kind not in _DERIVED:
            raise CannotWrite(f"a dim by {made_of.kind}")
        return _DERIVED[made_of.kind].format(*(self._term(d) for d in made_of.inputs))

    def _of_ours(self, dim: Any) -> str | None:
        """Of a dim of this project, whose expression is canonical: a sum of products, a division, or a copy."""
        if dim.copy_of is not None:
            return f"{self._dim(dim.copy_of)}.copy(match_priority={dim.match_priority})"
        if dim.expr is None:
            return None
        if hasattr(dim.expr, "base"):
            base, by = self._dim(dim.expr.base), dim.expr.divisor
            return f"{base}.ceildiv_right({by})" if dim.expr.round_up else f"{base} // {by}"
        return " + ".join(self._product(dims, factor) for dims, factor in dim.expr.terms)

    def _product(self, dims: Sequence[Any], factor: int) -> str:
        written = [self._dim(dim) for dim in dims]
        return " * ".join([str(factor), *written] if factor != 1 or not written else written)

    def _term(self, dim: Any) -> str:
        return f"({dim.size})" if dim.size is not None and dim.size < 0 else self._dim(dim)

    def _declared(self, dim: Any) -> str:
        kind = f", kind=Dim.Types.{dim.kind.name.capitalize()}" if dim.kind is not None else ""
        lengths = None if hasattr(dim, "expr") else dim.dyn_size_ext
        if dim.size is None and lengths is not None and [d.is_batch_dim() for d in lengths.dims] != [True]:
            dims = "[" + ", ".join(map(self._dim, lengths.dims)) + "]"
            return f"Dim(Tensor({dim.name!r}, dims={dims}, dtype={lengths.dtype!r}){kind})"
        return f"Dim({dim.size!r}, name={dim.name!r}{kind})"

    def _function(self, function: FunctionType) -> str:
        if id(function) in self._names:
            return self._names[id(function)]
        if function in self._begun:
            return function.__name__  # it calls itself, or one that calls it does
        self._begun.append(function)
        try:
            return self._begin(function)
        finally:
            self._begun.remove(function)

    def _begin(self, function: FunctionType) -> str:
        if function.__module__.startswith("returnn_ir."):
            raise CannotWrite(f"{function.__name__} stands here for a function of RETURNN")
        for variable, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            self.define(variable, cell.cell_contents)
        source = _source(function)
        for variable in sorted({node.id for node in ast.walk(source) if isinstance(node, ast.Name)}):
            if variable in function.__globals__ and variable not in _OWN_NAMES:
                self.define(variable, function.__globals__[variable])
        if isinstance(source, ast.Lambda):
            return f"({ast.unparse(source)})"

        def definition(name: str) -> str:
            source.name = name
            return ast.unparse(source)

        return self._define(function, function.__name__, definition)

    def _define(self, held: object, wanted: str, statement: Callable[[str], str]) -> str:
        plain = "".join(c if c.isalnum() and c.isascii() else "_" for c in wanted)
        taken, number, name = {*self._names.values(), *_OWN_NAMES}, 1, plain
        while name in taken:
            number += 1
            name = f"{plain}_{number}"
        self._lines.append(statement(name))
        self._names[id(held)] = name
        self._held.append(held)
        return name


def _source(function: FunctionType) -> ast.FunctionDef | ast.Lambda:
    """The one definition in the lines that Python says a function is from."""
    try:
        lines = textwrap.dedent(inspect.getsource(function)).strip()
    except (OSError, TypeError) as error:
        raise CannotWrite(f"no source of {function.__name__}") from error
    kind = ast.Lambda if function.__name__ == "<lambda>" else ast.FunctionDef
    for text in (lines, f"({lines.rstrip(',')})", f"{{{lines.rstrip(',')}}}", f"f({lines.rstrip(',')})"):
        try:
            tree = ast.parse(text)
        except SyntaxError:
            continue
        found = [node for node in ast.walk(tree) if isinstance(node, kind)]
        if found and (kind is ast.FunctionDef or len(found) == 1):
            return _without_annotations(_in_tensorflow_1(found[0]))
    raise CannotWrite(f"the source of {function.__name__} is not a definition alone")


def _in_tensorflow_1(definition: ast.FunctionDef | ast.Lambda) -> ast.FunctionDef | ast.Lambda:
    """The same function, with the TensorFlow of configs with net dicts; later versions lack names that they call."""
    for node in ast.walk(definition):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == "tensorflow":
                    alias.name, alias.asname = _TENSORFLOW_1, alias.asname or alias.name
    return definition


def _without_annotations(definition: ast.FunctionDef | ast.Lambda) -> ast.FunctionDef | ast.Lambda:
    """The same function: annotations may need names that do not matter, and decorators have done their work."""
    for node in ast.walk(definition):
        if isinstance(node, ast.arg):
            node.annotation = None
        if isinstance(node, ast.FunctionDef):
            node.returns = None
    if isinstance(definition, ast.FunctionDef):
        definition.decorator_list = []
    return definition
