"""The rules that keep the code readable: size limits, and a folder imports only folders below it.

A *room* is a folder right below a package; what lies deeper in it belongs to it, and rings inside a room are its own
matter. Loose files of a package's root are the ground that its rooms stand on (``errors``, ``options``), but for the
command line and the package's ``__init__``, which stand above all. Imports count wherever they stand: inside functions,
under TYPE_CHECKING, by ``import_module``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("returnn_ir", "compiler", "runtime", "examples", "tests")
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60

#: Modules that a folder must not import, not even inside of functions.
FORBIDDEN = {
    "returnn_ir": ("tensorflow", "onnx", "onnxruntime", "compiler", "runtime"),
    "compiler": ("runtime",),
    "compiler/onnx": ("tensorflow", "runtime"),
    "compiler/passes": ("tensorflow", "onnx", "onnxruntime"),
}


def _files(folder: str) -> Iterator[Path]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        if not {"golden", "recorded", "faults"} & set(path.parts) and "out" not in path.relative_to(ROOT).parts:
            yield path


@pytest.mark.parametrize("package", PACKAGES)
def test_sizes(package: str) -> None:
    """Files and functions stay short."""
    long = []
    for path in _files(package):
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > MAX_FILE_LINES:
            long.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines} lines")
    assert not long, "\n".join(long)


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_imports(folder: str) -> None:
    """Layers import downwards only."""
    pattern = re.compile(rf"^\s*(?:import|from)\s+({'|'.join(FORBIDDEN[folder])})\b", re.MULTILINE)
    wrong = []
    for path in _files(folder):
        for match in pattern.finditer(path.read_text(encoding="utf-8")):
            wrong.append(f"{path.relative_to(ROOT)} imports {match[1]}")
    assert not wrong, "\n".join(wrong)


# ---------------------------------------------------------------- rooms and floors

#: The rooms of each package from the ground up; those of one floor do not import each other. A package stands above all
#: of the one before it.
FLOORS: dict[str, tuple[tuple[str, ...], ...]] = {
    "returnn_ir": (
        ("",),
        ("options",),
        ("ir",),
        ("text", "ops"),
        ("axes",),
        ("config",),
        ("network",),
        ("facade",),
        ("expression",),
        ("construct",),
        ("losses",),
        ("loops",),
        ("layers",),
    ),
    "compiler": (
        ("target", "checkpoint"),
        ("analysis",),
        ("reference",),
        ("passes",),
        ("tensorflow", "onnx"),
        ("program",),
        ("check",),
        ("cli",),
    ),
    "runtime": (
        ("",),
        ("datasets", "optimizers", "learning_rate", "checkpoints", "decoding"),
        ("model", "deployment"),
        ("tasks",),
        ("cli",),
    ),
}
MIN_ROOMS = 15
#: Imports that still go upwards or sideways, by (from, to): they only become fewer.
UPWARD: dict[tuple[str, str], int] = {}
#: Modules that import all modules of a folder, which register themselves.
REGISTRIES = {
    "returnn_ir/registry.py",
    "returnn_ir/expression/table.py",
    "returnn_ir/ir/op.py",
    "returnn_ir/network/layer_registry.py",
    "returnn_ir/network/loss_registry.py",
    "compiler/passes/registry.py",
    "runtime/datasets/registry.py",
    "runtime/optimizers/registry.py",
}
#: They import modules of a config by names that the config gives.
CONFIG_MODULES = {"returnn_ir/config/helper_modules.py", "returnn_ir/config/shim.py"}


def _room(module: str) -> tuple[str, str]:
    """Package and room of a module; "*" is the package itself."""
    package, _, rest = module.partition(".")
    first = rest.partition(".")[0]
    if not rest:
        return package, "*"
    return package, first if (ROOT / package / first).is_dir() or first == "cli" else ""


def _level(room: tuple[str, str]) -> int:
    package, name = room
    floors = FLOORS[package]
    above = sum(len(FLOORS[lower]) + 1 for lower in list(FLOORS)[: list(FLOORS).index(package)])
    return above + next((i for i, floor in enumerate(floors) if name in floor), len(floors))


def _imported(path: Path) -> Iterator[str]:
    """Every module of ours that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if _is_module(inner) else node.module


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()


def _crossings() -> Iterator[tuple[tuple[str, str], tuple[str, str], str]]:
    """(from, to, what) of every import that leaves its room."""
    for package in FLOORS:
        for path in _files(package):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            for name in _imported(path):
                if name.partition(".")[0] in FLOORS and _room(name) != _room(module):
                    yield _room(module), _room(name), f"{module} imports {name}"


def test_every_room_has_a_floor() -> None:
    """A new folder is placed on a floor, and there are enough folders to find something by their names."""
    rooms = {(package, path.parent.name) for package in FLOORS for path in (ROOT / package).glob("*/__init__.py")}
    planned = {(package, room) for package, floors in FLOORS.items() for floor in floors for room in floor}
    assert rooms <= planned
    assert len(rooms) >= MIN_ROOMS


def test_imports_go_down() -> None:
    """No import goes to a room of the same floor or above: no rings across rooms, and nobody imports a layer."""
    upward: dict[tuple[str, str], list[str]] = {}
    for source, target, what in _crossings():
        if _level(source) <= _level(target):
            upward.setdefault((".".join(source), ".".join(target)), []).append(what)
    lines = [line for what in upward.values() for line in what]
    assert {pair: len(what) for pair, what in upward.items()} == UPWARD, "\n".join(lines)


def test_imports_by_name() -> None:
    """Only a registry imports modules of ours by names that it computes."""
    for package in FLOORS:
        for path in _files(package):
            name = path.relative_to(ROOT).as_posix()
            if name not in REGISTRIES | CONFIG_MODULES:
                text = path.read_text(encoding="utf-8")
                assert "import_module(" not in text and "import_modules(" not in text, name


# ---------------------------------------------------------------- one concept, one place

#: How a loop lays out what it carries, scans and stacks, and what the branches of a choice give.
LAYOUT = {"carries", "stacked", "ends", "branches"}
KNOWS_LAYOUT = {"returnn_ir/ir/loop.py", "returnn_ir/ir/builder.py", "returnn_ir/ops/control.py"}


def _layout_uses(path: Path) -> Iterator[str]:
    """Names of layout attributes, and params of a region that are told by their number."""
    where = path.relative_to(ROOT)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Constant(value=str() as name) if name in LAYOUT:
                yield f"{where}:{node.lineno} attribute {name!r}"
            case ast.Subscript(
                value=ast.Attribute(attr="params"),
                slice=ast.Constant() | ast.BinOp() | ast.UnaryOp() | ast.Slice(),
            ):
                yield f"{where}:{node.lineno} {ast.unparse(node)}"


@pytest.mark.parametrize("package", FLOORS)
def test_the_layout_of_loops_is_known_in_one_place(package: str) -> None:
    """Everybody else asks ``returnn_ir.ir.loop``."""
    paths = [p for p in _files(package) if p.relative_to(ROOT).as_posix() not in KNOWS_LAYOUT]
    found = [use for path in paths for use in _layout_uses(path)]
    assert not found, "\n".join(found)


# ---------------------------------------------------------------- names


def _names(tree: ast.Module) -> list[str] | None:
    """What a module's ``__all__`` lists."""
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == "__all__" and isinstance(node, ast.Assign | ast.AnnAssign):
            return [str(value) for value in ast.literal_eval(node.value or ast.List([]))]
    return None


def test_modules_say_what_they_give() -> None:
    """Every module has an ``__all__``, and other modules import nothing else of it."""
    trees = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
        for package in FLOORS
        for path in _files(package)
        if path.name not in ("__init__.py", "__main__.py")
    }
    given = {module: _names(tree) for module, tree in trees.items()}
    wrong = [f"{module} has no __all__" for module, names in given.items() if names is None]
    for module, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in given:
                names = given[node.module] or []
                wrong.extend(f"{module}: {a.name} of {node.module}" for a in node.names if a.name not in names)
    assert not wrong, "\n".join(wrong)
