"""Where onnxruntime computes: the CPU or a GPU, with its provider's options; never elsewhere than asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from returnn_ir.errors import UserError

__all__ = ["Device"]

#: onnxruntime's execution providers by the kind of device.
_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}

_NO_CONTRIB = (
    "the model has ops of onnxruntime itself that this build of it lacks: another version (the one that wrote the file "
    "is in its metadata, returnn_ir.profile), or export with --profile portable"
)


@dataclass(frozen=True)
class Device:
    """A device of this machine.

    Attributes:
        kind: ``cpu`` or ``cuda``.
        index: which GPU.
        options: of onnxruntime's provider, as it calls them: ``use_tf32``, ``gpu_mem_limit``, ...
    """

    kind: str = "cpu"
    index: int = 0
    options: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of(name: str, options: Mapping[str, str] | None = None) -> Device:
        """A device by name: ``cpu``, ``cuda`` or ``cuda:1``.

        Raises:
            UserError: no device is called so.
        """
        match = re.fullmatch(r"(cpu|cuda)(?::(\d+))?", name)
        if match is None or (match[1] == "cpu" and match[2] is not None):
            raise UserError(f"no device is called {name!r}", expected="cpu, cuda or cuda:NUMBER")
        return Device(match[1], int(match[2] or 0), dict(options or {}))

    @property
    def provider(self) -> str:
        """The provider, as onnxruntime calls it."""
        return _PROVIDERS[self.kind]

    def open(self, path: str | Path, **options: str) -> Any:
        """An ``onnxruntime.InferenceSession`` of a model file.

        Args:
            options: of the provider, beside the device's own.

        Raises:
            UserError: no such file, not a model, or a provider that this onnxruntime does not have or cannot load.
        """
        import onnxruntime

        if not Path(path).is_file():
            raise UserError(f"no such file: {path}")
        available = onnxruntime.get_available_providers()
        if self.provider not in available:
            hint = "pip install onnxruntime-gpu, without onnxruntime beside it" if self.kind == "cuda" else None
            raise UserError(f"onnxruntime has no {self.provider}", expected=", ".join(available), hint=hint)
        if self.kind == "cuda":
            onnxruntime.preload_dlls()  # CUDA and cuDNN of Python packages, where the system has none
        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = 3
        given = {**({"device_id": str(self.index)} if self.kind == "cuda" else {}), **self.options, **options}
        try:
            session = onnxruntime.InferenceSession(str(path), settings, providers=[(self.provider, given)])
        except Exception as error:
            hint = _NO_CONTRIB if "com.microsoft" in str(error) else None
            raise UserError(f"onnxruntime cannot load the model: {error}", where=str(path), hint=hint) from error
        _require_loaded(self.provider, session.get_providers())
        return session


def _require_loaded(wanted: str, loaded: Sequence[str]) -> None:
    """Refuse what onnxruntime lets pass: it goes on without a provider whose libraries it cannot load."""
    if wanted not in loaded:
        raise UserError(
            f"onnxruntime could not load {wanted}",
            expected=wanted,
            received=", ".join(loaded),
            hint="its libraries (for CUDA: cuDNN too) in the versions that this onnxruntime was built for",
        )
