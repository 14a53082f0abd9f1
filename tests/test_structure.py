"""The rules that keep the code readable: size limits and import rules."""

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
        if not {"golden", "faults"} & set(path.parts) and "out" not in path.relative_to(ROOT).parts:
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
