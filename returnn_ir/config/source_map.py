"""Lines of layers and option keys in a config file, without executing it."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from returnn_ir.config.json_text import TOKEN

__all__ = ["Entry", "SourceMap"]

#: The layer options whose dict holds layers.
_NET_KEYS = ("unit", "subnetwork")


@dataclass
class Entry:
    """One key of a dict in a file: where it stands and what its value, if that is a dict, holds."""

    file: str
    line: int
    children: dict[str, Entry] = field(default_factory=dict)


class SourceMap:
    """Where the layers and options of a config were written."""

    def __init__(self) -> None:
        self._options: dict[str, Entry] = {}
        self._layers: dict[str, list[Entry]] = {}
        self._patterns: list[tuple[str, Entry]] = []

    def find(self, layer_path: str | None, key: str | None) -> tuple[str | None, int | None]:
        """File and line of an option of the config (``layer_path`` None), a layer, or an option of it.

        A layer that is not found under its path is looked up by its name, then among the names that the config computes
        (``f"enc_{i}"``), if only one place fits. What is not found at all has neither file nor line.
        """
        if layer_path is None:
            entry = self._options.get(key) if key else None
        else:
            name = layer_path.rpartition("/")[2]
            named = self._layers.get(name, [])
            entry = self._by_path(layer_path) or _unique(named) or self._by_pattern(name)
            if entry is not None and key is not None:
                # a network of another epoch may write the option of a layer of that name elsewhere
                elsewhere = _unique([other.children[key] for other in named if key in other.children])
                entry = entry.children.get(key) or elsewhere or entry
        return (entry.file, entry.line) if entry else (None, None)

    def find_inside(self, option: str, keys: Sequence[str]) -> tuple[str | None, int | None]:
        """File and line of what an option of the config holds under these keys, or of the innermost dict around it."""
        entry = self._options.get(option)
        for key in keys:
            if entry is None or key not in entry.children:
                break
            entry = entry.children[key]
        return (entry.file, entry.line) if entry else (None, None)

    def add_python(self, file: str, text: str) -> None:
        """Reads a Python config that compiles."""
        scan = _PythonScan(file, self._options)
        scan.visit(ast.parse(text))
        self._index(scan.entries)
        self._patterns += [(pattern, entry) for pattern, entry in scan.patterns if "class" in entry.children]

    def add_json(self, file: str, text: str, root: str | None = None) -> None:
        """Reads a JSON config, or with ``root`` the JSON value of that option."""
        top = _scan_json(file, text)
        if root is None:
            self._options.update(top.children)
        else:
            self._options[root] = top
        self._index(_descendants(top))

    def add_lines(self, file: str, text: str) -> None:
        """Reads ``key value`` lines."""
        for number, line in enumerate(text.splitlines(), 1):
            words = line.partition("#")[0].split(None, 1)
            if words:
                self._options[words[0]] = Entry(file, number)

    def _index(self, entries: list[tuple[str, Entry]]) -> None:
        for name, entry in entries:
            if "class" in entry.children or name.startswith("#"):
                self._layers.setdefault(name, []).append(entry)

    def _by_path(self, path: str) -> Entry | None:
        nets = [self._options["network"]] if "network" in self._options else []
        entry = None
        for name in path.split("/"):
            entry = next((net.children[name] for net in nets if name in net.children), None)
            if entry is None:
                return None
            # a layer inside of a layer stands at its option, a layer of a nested network within that
            nets = [*(entry.children[key] for key in _NET_KEYS if key in entry.children), entry]
        return entry

    def _by_pattern(self, name: str) -> Entry | None:
        found = [(len(pattern), entry) for pattern, entry in self._patterns if re.fullmatch(pattern, name)]
        return _unique([entry for length, entry in found if all(length >= other for other, _ in found)])


def _unique(entries: list[Entry]) -> Entry | None:
    return entries[-1] if len({(entry.file, entry.line) for entry in entries}) == 1 else None


class _PythonScan(ast.NodeVisitor):
    """Follows assignments in the order of the text, as if every branch and function body ran once."""

    def __init__(self, file: str, variables: dict[str, Entry]) -> None:
        self._file = file
        self._variables = variables
        self._local: dict[str, Entry] | None = None
        #: Keys of all dicts with what they hold; and those that are computed, as regular expressions.
        self.entries: list[tuple[str, Entry]] = []
        self.patterns: list[tuple[str, Entry]] = []

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.ClassDef) -> None:
        """A scope of its own; at the top it defines an option."""
        outer = self._local
        if outer is None:
            self._variables[node.name] = Entry(self._file, node.lineno)
        self._local = {}
        self.generic_visit(node)
        self._local = outer

    visit_ClassDef = visit_FunctionDef

    def visit_Assign(self, node: ast.Assign) -> None:
        """``x = ...``, ``x["key"] = ...``."""
        for target in node.targets:
            self._assign(target, node.value, node.lineno)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """``x: type = ...``."""
        if node.value is not None:
            self._assign(node.target, node.value, node.lineno)

    def visit_Call(self, node: ast.Call) -> None:
        """``x.update({...}, key=...)``."""
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr == "update":
            target = self._resolve(function.value)
            for argument in node.args:
                self._fill(target, argument)
            self._keywords(target, node.keywords)
        else:
            self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        """A dict that nothing names, such as a function's result."""
        self._fill(Entry(self._file, node.lineno), node)

    def visit_Tuple(self, node: ast.Tuple) -> None:
        """``("name", {...})``, of which ``dict([...])`` makes layers."""
        match node.elts:
            case [key, ast.Dict() as value]:
                self._child(Entry(self._file, node.lineno), key, value)
            case _:
                self.generic_visit(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        """``{f"layer_{i}": {...} for i in ...}``."""
        self._child(Entry(self._file, node.lineno), node.key, node.value)

    def _assign(self, target: ast.expr, value: ast.expr, line: int) -> None:
        match target, value:
            case ast.Name(name), _:
                scope = self._variables if self._local is None else self._local
                scope[name] = self._value(value, line)
            case ast.Subscript(owner, key), _:
                self._child(self._resolve(owner), key, value)
            case ast.Tuple(targets), ast.Tuple(values) if len(targets) == len(values):
                for one_target, one_value in zip(targets, values, strict=True):
                    self._assign(one_target, one_value, one_target.lineno)
            case ast.Tuple(targets), _:
                for one_target in targets:
                    self._assign(one_target, ast.Constant(None), line)
            case _:
                self.visit(value)

    def _value(self, value: ast.expr, line: int) -> Entry:
        """The entry of a value that is named at ``line``; a variable's dict is shared with that variable."""
        if isinstance(value, ast.Name | ast.Subscript):
            return Entry(self._file, line, self._resolve(value).children)
        entry = Entry(self._file, line)
        self._fill(entry, value)
        return entry

    def _fill(self, entry: Entry, value: ast.expr) -> None:
        """Adds the keys of ``value`` to ``entry``, as far as they can be seen."""
        match value:
            case ast.Dict(keys, values):
                for key, item in zip(keys, values, strict=True):
                    if key is None:
                        self._fill(entry, item)
                    else:
                        self._child(entry, key, item)
            case ast.DictComp():
                self.visit_DictComp(value)
            case ast.Call(func=ast.Name("dict")):
                for argument in value.args:
                    self._fill(entry, argument)
                self._keywords(entry, value.keywords)
            case ast.Call(func=ast.Attribute(base, "copy")) | ast.Call(args=[base]) | ast.NamedExpr(value=base):
                self._fill(entry, base)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                self._fill(entry, left)
                self._fill(entry, right)
            case ast.Name() | ast.Subscript():
                entry.children.update(self._resolve(value).children)
            case _:
                self.visit(value)

    def _keywords(self, entry: Entry, keywords: list[ast.keyword]) -> None:
        for keyword in keywords:
            if keyword.arg is None:
                self._fill(entry, keyword.value)
            else:
                child = self._value(keyword.value, keyword.lineno)
                entry.children[keyword.arg] = child
                self.entries.append((keyword.arg, child))

    def _child(self, entry: Entry, key: ast.expr, value: ast.expr) -> None:
        child = self._value(value, key.lineno)
        name = _text(key)
        if name is not None:
            entry.children[name] = child
            self.entries.append((name, child))
        elif child.children:
            self.patterns.append((_pattern(key), child))

    def _resolve(self, target: ast.expr) -> Entry:
        """The entry that a variable or ``variable["key"]`` means; a new one where nothing is known."""
        match target:
            case ast.Name(name):
                for scope in (self._local, self._variables):
                    if scope is not None and name in scope:
                        return scope[name]
            case ast.Subscript(owner, ast.Constant(str(key))):
                return self._resolve(owner).children.setdefault(key, Entry(self._file, target.lineno))
        return Entry(self._file, target.lineno)


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _pattern(key: ast.expr) -> str:
    """A regular expression for a computed name: what is not written out matches anything."""
    match key:
        case ast.Constant(value):
            return re.escape(str(value))
        case ast.JoinedStr(values):
            return "".join(map(_pattern, values))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _pattern(left) + _pattern(right)
        case ast.BinOp(left=ast.Constant(str(template)), op=ast.Mod()):
            return ".*".join(map(re.escape, re.split(r"%\d*[a-z]", template)))
        case ast.Call(func=ast.Attribute(ast.Constant(str(template)), "format")):
            return ".*".join(map(re.escape, re.split(r"\{[^{}]*\}", template)))
        case _:
            return ".*"


def _scan_json(file: str, text: str) -> Entry:
    """The keys of a JSON text; the keys of dicts inside lists belong to nothing."""
    top = Entry(file, 1)
    stack = [Entry(file, 1, {"": top})]
    key, string, line, seen = "", "", 1, 0
    for token in TOKEN.finditer(text):
        line += text.count("\n", seen, token.start())
        seen = token.start()
        match token[0][0]:
            case '"':
                string = token[0][1:-1]
            case ":":
                key = string
                stack[-1].children[key] = Entry(file, line)
            case "{":
                stack.append(stack[-1].children.get(key) or Entry(file, line))
                key = ""
            case "[":
                stack.append(Entry(file, line))
                key = ""
            case "}" | "]" if len(stack) > 1:
                stack.pop()
    return top


def _descendants(entry: Entry) -> list[tuple[str, Entry]]:
    return [pair for name, child in entry.children.items() for pair in [(name, child), *_descendants(child)]]
