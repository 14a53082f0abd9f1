"""Code that is not changed: what only documents, types, logs, or words a message."""

from __future__ import annotations

import ast

__all__ = ["is_message_call", "is_type", "skipped_keyword", "skipped_statement"]

#: Keywords of messages, and those that only check ourselves (``zip(strict=True)``) or say what is the default anyway.
_QUIET_KEYWORDS = {"hint", "where", "expected", "received", "description", "strict", "encoding", "stacklevel"}
_TYPING = {"TypeVar", "cast", "NewType", "field", "ParamSpec"}
_LOGS = {"_LOG", "_log", "logging"}


def skipped_statement(statement: ast.stmt) -> bool:
    """Docstrings, imports, ``__all__``, type aliases, protocols and what only a type checker reads."""
    match statement:
        case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Assert():
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))) if name in _LOGS:
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id="log"))):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__" | "__slots__")]) | ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.AnnAssign(target=ast.Name(id="__all__")) | ast.Assign(value=ast.Subscript(value=ast.Name())):
            return isinstance(statement, ast.AnnAssign) or _is_alias(statement)
        case ast.ClassDef(bases=[ast.Name(id="Protocol")]):
            return True
        case ast.FunctionDef(decorator_list=[ast.Name(id="overload")]):
            return True
    return False


def _is_alias(statement: ast.stmt) -> bool:
    """``Types = Sequence[TensorType]``."""
    assert isinstance(statement, ast.Assign)
    target = statement.targets[0]
    return isinstance(target, ast.Name) and target.id.lstrip("_")[:1].isupper() and not target.id.isupper()


def is_message_call(node: ast.expr) -> bool:
    """An error that is made: its arguments are words."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith(("Error", "Origin"))


def is_type(node: ast.expr) -> bool:
    """``int | None`` and what ``cast`` takes."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in _TYPING
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.BitOr)
        and any(_names_a_type(side) for side in _sides(node))
    )


def _sides(node: ast.BinOp) -> tuple[ast.expr, ast.expr]:
    return node.left, node.right


def _names_a_type(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is None
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name in ("int", "float", "bool", "str", "bytes") or (name[:1].isupper() and not name.isupper())


def skipped_keyword(keyword: ast.keyword) -> bool:
    """Keywords whose loss nobody can see."""
    return keyword.arg in _QUIET_KEYWORDS
