"""RETURNN's ``OpCodeCompiler``: TensorFlow ops that a config brings as C++ code, compiled when its function runs."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from returnn_ir.errors import ConfigError

__all__ = ["OpCodeCompiler"]

#: Options of RETURNN's class that change nothing here: there is no CUDA code, and nothing old is cleaned up.
_WITHOUT_EFFECT = (
    "code_version",
    "use_cuda_if_available",
    "cuda_auto_min_compute_capability",
    "include_deps",
    "static_version_name",
    "should_cleanup_old_all",
    "should_cleanup_old_mydir",
    "use_cxx11_abi",
    "log_stream",
    "verbose",
)


class OpCodeCompiler:
    """One library of ops.

    Args:
        base_name: what its file is called.
        code: C++ with ``REGISTER_OP`` and ``REGISTER_KERNEL_BUILDER``.
        is_cpp: whether it is C++.
        c_macro_defines, include_paths, ld_flags: further arguments of the compiler.
        further: options that have no effect.

    Raises:
        ConfigError: no C++, or an unknown option.
    """

    def __init__(
        self,
        base_name: str,
        code: str,
        is_cpp: bool = True,
        c_macro_defines: Mapping[str, object] | None = None,
        include_paths: Sequence[str] = (),
        ld_flags: Sequence[str] = (),
        **further: Any,
    ) -> None:
        unknown = sorted(set(further) - set(_WITHOUT_EFFECT))
        if unknown or not is_cpp:
            raise ConfigError(
                "OpCodeCompiler is called with what it does not have here",
                expected="C++ code for the CPU",
                received=unknown[0] if unknown else "is_cpp=False",
            )
        self._name = re.sub(r"\W", "_", base_name)
        self._code = code
        macros = {"NDEBUG": 1, **_version_macros(), **(c_macro_defines or {})}
        self._flags = [
            *tf.sysconfig.get_compile_flags(),
            *(f"-D{name}={value}" for name, value in macros.items()),
            *(f"-I{path}" for path in include_paths),
        ]
        self._link = [*tf.sysconfig.get_link_flags(), *ld_flags]

    def load_tf_module(self) -> Any:
        """The ops as functions of a module, compiled if this code was not before.

        Raises:
            ConfigError: there is no compiler, or it fails.
        """
        library = self._library()
        if not library.exists():
            self._compile(library)
        return tf.load_op_library(str(library))

    def _library(self) -> Path:
        """A place of the user's own: what is there gets executed."""
        told = repr((self._code, self._flags, self._link, tf.__version__))
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "returnn-ir" / "ops"
        return cache / f"{self._name}-{hashlib.sha256(told.encode()).hexdigest()[:24]}.so"

    def _compile(self, library: Path) -> None:
        compiler = os.environ.get("CXX") or shutil.which("g++") or shutil.which("c++")
        if compiler is None:
            raise _no_compiler(self._name)
        library.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=library.parent) as folder:
            source, made = Path(folder) / "op.cc", Path(folder) / "op.so"
            source.write_text(self._code, encoding="utf-8")
            command = [compiler, "-shared", "-O2", "-fPIC", "-o", str(made), str(source), *self._flags, *self._link]
            try:
                done = subprocess.run(command, capture_output=True, text=True, check=False)
            except OSError as error:
                raise _no_compiler(self._name) from error
            if done.returncode:
                raise ConfigError(
                    f"the C++ code of the op {self._name!r} does not compile with TensorFlow {tf.__version__}",
                    received=_first_error(done.stderr),
                    hint=f"{compiler} compiles it for this TensorFlow's headers; its interface changes with versions",
                )
            made.replace(library)


def _no_compiler(name: str) -> ConfigError:
    return ConfigError(
        f"the op {name!r} of the config is C++ code, and there is no compiler for it",
        expected="g++, or another one in the environment variable CXX",
    )


def _version_macros() -> dict[str, object]:
    """TensorFlow's headers since 2.20 expect them from outside."""
    major, minor, patch = tf.__version__.split(".", 2)
    number, _, suffix = patch.partition("-")
    return {
        "TF_MAJOR_VERSION": major,
        "TF_MINOR_VERSION": minor,
        "TF_PATCH_VERSION": number,
        "TF_VERSION_SUFFIX": f'"{suffix}"',
    }


def _first_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines()]
    return next((line for line in lines if "error:" in line), lines[0] if lines else "no message")
