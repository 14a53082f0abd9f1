"""All one-place changes of a module's syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from tests.mutants.quiet import is_message_call, is_type, skipped_keyword, skipped_statement

__all__ = ["Change", "changes"]

_COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_Path = tuple[ast.FunctionDef | ast.ClassDef, ...]
_COMMUTATIVE = {"add", "equal", "logical_and", "logical_or", "maximum", "minimum", "mul"}
_SUBJECTS = {"b", "call", "context", "e", "opt", "scope", "self", "program"}


@dataclass(frozen=True)
class Change:
    """One change that can be made in a tree.

    Attributes:
        line: where it is.
        runs: the line that is run when the changed code runs (a default value: the function's first line); None for
            what an import runs.
        function: the qualified name around it, ``<module>`` outside of functions.
        statement: the smallest statement around it, as it is before the change.
        apply: makes the change; the tree is used up by it. Returns the statement after it.
    """

    line: int
    runs: int | None
    function: str
    statement: ast.stmt
    apply: Callable[[], ast.stmt]


@dataclass(frozen=True)
class _Place:
    """Where expressions are: ``path`` has the functions and classes around, ``runs`` a line of another place."""

    path: _Path
    statement: ast.stmt
    runs: int | None = None

    @property
    def function(self) -> str:
        """The qualified name."""
        return ".".join(node.name for node in self.path) or "<module>"

    def change(self, node: ast.stmt | ast.expr | ast.keyword, apply: Callable[[], None]) -> Change:
        def applied() -> ast.stmt:
            apply()
            return self.statement

        return Change(node.lineno, self.line_run(node.lineno), self.function, self.statement, applied)

    def line_run(self, line: int) -> int | None:
        """The line that is run when ``line`` is."""
        if not any(isinstance(node, ast.FunctionDef) for node in self.path):
            return None
        return self.runs or line


def changes(tree: ast.Module) -> Iterator[Change]:
    """All changes of ``tree`` in a fixed order, so that a number names one."""
    yield from _block(tree.body, ())


def _block(body: list[ast.stmt], path: _Path) -> Iterator[Change]:
    for index, statement in enumerate(body):
        if not skipped_statement(statement):
            yield from _removed(body, index, path)
            yield from _statement(statement, path)


def _removed(body: list[ast.stmt], index: int, path: _Path) -> Iterator[Change]:
    """The statement is left out, where that does not only undefine a name."""
    statement = body[index]
    place = _Place(path, statement)
    new: ast.stmt | None = None
    if isinstance(statement, (ast.Continue, ast.Break)):
        new = ast.Break() if isinstance(statement, ast.Continue) else ast.Continue()
    elif isinstance(statement, (ast.Expr, ast.AugAssign, ast.Raise, ast.Delete)) or _rebinds(statement):
        new = ast.Pass()
    elif isinstance(statement, ast.Return) and statement.value is not None and not _is_nothing(statement.value):
        new = ast.Return(ast.Constant(None))
    if new is not None:
        replacement = ast.copy_location(new, statement)

        def applied() -> ast.stmt:
            body[index] = ast.fix_missing_locations(replacement)
            return replacement

        yield Change(statement.lineno, place.line_run(statement.lineno), place.function, statement, applied)


def _rebinds(statement: ast.stmt) -> bool:
    """An assignment to what exists already: to an entry, an attribute, or of a name from itself."""
    if not isinstance(statement, ast.Assign):
        return False
    read = {node.id for node in ast.walk(statement.value) if isinstance(node, ast.Name)}
    return all(
        isinstance(target, (ast.Subscript, ast.Attribute)) or (isinstance(target, ast.Name) and target.id in read)
        for target in statement.targets
    )


def _is_nothing(node: ast.expr) -> bool:
    """None, and False, which a condition takes for the same."""
    return isinstance(node, ast.Constant) and (node.value is None or node.value is False)


def _statement(statement: ast.stmt, path: _Path) -> Iterator[Change]:
    """Changes inside of one statement: of its own expressions, then of the statements in it."""
    place = _Place(path, statement)
    inner = path
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        inner = (*path, statement)
        if isinstance(statement, ast.FunctionDef):
            first = next((s for s in statement.body if not skipped_statement(s)), statement)
            place = _Place(inner, statement, first.lineno)
            yield from _expressions(statement.args, place)
    elif isinstance(statement, ast.AnnAssign):
        if statement.value is not None:
            yield from _expression(statement, "value", None, place)
    else:
        yield from _expressions(statement, place)
    if isinstance(statement, ast.If):
        yield place.change(statement.test, lambda: _negate(statement))
    for field in ("body", "orelse", "finalbody"):
        yield from _block(getattr(statement, field, []), inner)
    for handler in getattr(statement, "handlers", []):
        yield from _block(handler.body, inner)
    for case in getattr(statement, "cases", []):
        yield from _block(case.body, inner)


def _negate(statement: ast.If) -> None:
    statement.test = ast.fix_missing_locations(
        ast.copy_location(ast.UnaryOp(ast.Not(), statement.test), statement.test)
    )


def _expressions(node: ast.AST, place: _Place) -> Iterator[Change]:
    """Changes of all expressions directly below ``node``."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "type_comment", "decorator_list"):
            continue
        entries = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, child in entries:
            if isinstance(child, ast.expr):
                yield from _expression(node, field, index, place)
            elif isinstance(child, (ast.comprehension, ast.arguments, ast.withitem)) or (
                isinstance(child, ast.keyword) and not skipped_keyword(child)
            ):
                yield from _expressions(child, place)


def _expression(parent: ast.AST, field: str, index: int | None, place: _Place) -> Iterator[Change]:
    held = getattr(parent, field)
    node: ast.expr = held if index is None else held[index]
    if is_message_call(node) or is_type(node):
        return
    first = isinstance(parent, ast.Subscript) and isinstance(node, ast.Constant) and node.value == 0

    def put(new: ast.expr) -> Callable[[], None]:
        ast.fix_missing_locations(ast.copy_location(new, node))

        def apply() -> None:
            if index is None:
                setattr(parent, field, new)
            else:
                held[index] = new

        return apply

    # the first entry is the last one in most places: the second instead
    replacements = [ast.Constant(1)] if first else _replacements(node)
    yield from (place.change(node, put(new)) for new in replacements)
    if isinstance(node, ast.Call):
        yield from _dropped_keywords(node, place)
    yield from _expressions(node, place)


def _replacements(node: ast.expr) -> Iterator[ast.expr]:
    """What can stand for ``node``."""
    match node:
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Compare(ops=[op]):
            yield from (ast.Compare(node.left, [new()], node.comparators) for new in _COMPARE[type(op)])
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
            yield node.values[0] if len(node.values) == 2 else ast.BoolOp(node.op, node.values[:-1])
            yield node.values[1] if len(node.values) == 2 else ast.BoolOp(node.op, node.values[1:])
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.BinOp():
            yield ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)
            if isinstance(node.op, (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod)):
                yield ast.BinOp(node.right, node.op, node.left)
        case ast.IfExp():
            yield ast.IfExp(node.test, node.orelse, node.body)
        case ast.Call(args=[_, _, *_]) if not _is_commutative(node.func):
            yield from (ast.Call(node.func, args, node.keywords) for args in _swapped(node.args))
        case ast.Subscript(slice=ast.Slice() as bounds):
            yield from (ast.Subscript(node.value, new, node.ctx) for new in _moved(bounds))
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() if any(part.ifs for part in node.generators):
            parts = [ast.comprehension(p.target, p.iter, [], p.is_async) for p in node.generators]
            yield type(node)(node.elt, parts)


def _swapped(args: list[ast.expr]) -> Iterator[list[ast.expr]]:
    """Two neighbours of one kind exchanged; others would only be an error of types."""
    for i, (left, right) in enumerate(pairwise(args)):
        if type(left) is type(right) and not isinstance(left, (ast.Constant, ast.Starred)) and not _is_subject(left):
            yield [*args[:i], right, left, *args[i + 2 :]]


def _is_commutative(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and function.attr in _COMMUTATIVE


def _is_subject(node: ast.expr) -> bool:
    """A builder, an emitter: what all functions of a kind take first."""
    return isinstance(node, ast.Name) and node.id in _SUBJECTS


def _moved(bounds: ast.Slice) -> Iterator[ast.Slice]:
    """One bound further, where it is no number that changes anyway."""
    if bounds.lower is not None and not _is_number(bounds.lower):
        yield ast.Slice(ast.BinOp(bounds.lower, ast.Add(), ast.Constant(1)), bounds.upper, bounds.step)
    if bounds.upper is not None and not _is_number(bounds.upper):
        yield ast.Slice(bounds.lower, ast.BinOp(bounds.upper, ast.Sub(), ast.Constant(1)), bounds.step)


def _is_number(node: ast.expr) -> bool:
    return isinstance(node.operand if isinstance(node, ast.UnaryOp) else node, ast.Constant)


def _dropped_keywords(node: ast.Call, place: _Place) -> Iterator[Change]:
    for keyword in node.keywords:
        if keyword.arg is not None and not skipped_keyword(keyword):

            def apply(keyword: ast.keyword = keyword) -> None:
                node.keywords.remove(keyword)

            yield place.change(keyword, apply)
