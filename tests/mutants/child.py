"""A forked child that runs chosen tests, with one module changed or with coverage measured.

The parent has loaded pytest, NumPy and TensorFlow, which is most of a start; nothing of the project. The child tells
through a pipe which test begins and how it ended, one JSON object a line.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Any

import coverage
import hypothesis
import pytest

from tests.mutants.mutant import Mutant

__all__ = ["PACKAGES", "Task", "preload", "start"]

PACKAGES = ("returnn_ir", "compiler", "runtime")
#: A changed loop must not take the machine's memory.
_MEMORY = 8 << 30
#: pytest wants to import its plugins itself, to rewrite their assertions; hypothesis is loaded already.
_PRELOADED = "ignore::pytest.PytestAssertRewriteWarning"


@dataclass(frozen=True)
class Task:
    """What a child does.

    Attributes:
        tests: ids, in the order to run them; () runs none but lists all that ``files`` hold.
        files: what pytest collects.
        mutant: the change to make.
        record: the coverage file to write, with the test's id as context.
        keep_going: whether to run on after a failure.
    """

    root: Path
    files: tuple[str, ...]
    tests: tuple[str, ...] = ()
    mutant: Mutant | None = None
    record: Path | None = None
    keep_going: bool = False


def preload() -> None:
    """Import what takes long, without starting a thread that computes."""
    import tests.conftest  # noqa: F401 (its environment variables come before TensorFlow)

    for name in ("h5py", "hypothesis", "networkx", "numpy", "onnx", "onnxruntime", "tensorflow"):
        __import__(name)


def start(task: Task) -> tuple[int, int]:
    """Fork; returns the process id and the end of the pipe to read from."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    os.setsid()
    code = 70
    try:
        os.close(reading)
        code = _run(task, writing)
    except BaseException:  # pytest itself broke: a changed import, a measuring that does not work
        os.write(writing, (json.dumps({"broken": traceback.format_exc()}) + "\n").encode())
    finally:
        os._exit(code)


def _run(task: Task, pipe: int) -> int:
    folder = tempfile.mkdtemp(prefix="mutant-")
    silent = os.open(Path(folder) / "log", os.O_RDWR | os.O_CREAT)
    for descriptor in (0, 1, 2):
        os.dup2(silent, descriptor)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    if task.mutant is not None:
        sys.meta_path.insert(0, _Changed(task.mutant.module, task.root / task.mutant.path, task.mutant.code(task.root)))
    recorder = None
    if task.record is not None:
        patterns = [str(task.root / package / "*") for package in PACKAGES]
        recorder = coverage.Coverage(data_file=str(task.record), include=patterns, config_file=False)
        recorder.start()
        _import_all(task.root)
    options = [
        "-q",
        "-m",
        "not slow",
        "-p",
        "no:cacheprovider",
        "-W",
        _PRELOADED,
        f"--basetemp={folder}/tests",
        *task.files,
    ]
    options += ["--collect-only"] if not task.tests else [] if task.keep_going else ["-x"]
    code = pytest.main(options, plugins=[_Reporter(task.tests, pipe, recorder)])
    if recorder is not None:
        recorder.stop()
        recorder.save()
    shutil.rmtree(folder, ignore_errors=True)
    return int(code)


def _import_all(root: Path) -> None:
    """Import the packages before the first test, which would be taken for what runs the tables otherwise."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            import_module(".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"))


class _Changed(SourceFileLoader):
    """Finds and loads one module from changed code."""

    def __init__(self, module: str, path: Path, code: CodeType) -> None:
        super().__init__(module, str(path))
        self.changed = code

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        if name != self.name:
            return None
        folder = [str(Path(self.path).parent)] if self.path.endswith("__init__.py") else None
        return spec_from_file_location(name, self.path, loader=self, submodule_search_locations=folder)

    def get_code(self, fullname: str) -> CodeType:
        return self.changed


class _Reporter:
    """The plugin: chooses and orders tests, and tells the parent about each."""

    def __init__(self, tests: Sequence[str], pipe: int, recorder: coverage.Coverage | None) -> None:
        self.order = {test: i for i, test in enumerate(tests)}
        self.pipe = pipe
        self.recorder = recorder
        self.failed: dict[str, str] = {}

    def tell(self, **event: Any) -> None:
        os.write(self.pipe, (json.dumps(event) + "\n").encode())

    def pytest_configure(self) -> None:
        """Property tests draw the same examples each time, and store none."""
        hypothesis.settings.register_profile("mutants", database=None, derandomize=True, deadline=None)
        hypothesis.settings.load_profile("mutants")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if not self.order:
            for item in items:
                if not item.get_closest_marker("slow"):
                    self.tell(found=item.nodeid)
            return
        items[:] = sorted((i for i in items if i.nodeid in self.order), key=lambda item: self.order[item.nodeid])
        self.tell(collected=len(items))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.tell(begin=item.nodeid)
        if self.recorder is not None:
            self.recorder.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            if self.recorder is not None:
                self.recorder.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:
            self.failed.setdefault(report.nodeid, report.outcome)
        if report.when == "teardown":
            outcome = self.failed.get(report.nodeid, "passed")
            self.tell(end=report.nodeid, outcome=outcome)
