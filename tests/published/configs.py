"""Which files of a checkout are RETURNN configs with a network dict for TensorFlow."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["find_configs", "is_network_config"]

#: A config that RETURNN ran on TensorFlow says so, has its network from a function, or takes all from an import.
_TENSORFLOW = re.compile(
    r"^use_tensorflow\s*=\s*(True|1)|^backend\s*=\s*[\"']tensorflow|config\.set\(.use_tensorflow"
    r"|^def get_network|^from returnn\.import_ import",
    re.MULTILINE,
)
_TORCH = re.compile(r"^backend\s*=\s*[\"']torch", re.MULTILINE)

#: Configs whose name does not say that they are.
_FURTHER = ("2023-chunked-aed/ted2/global_aed_baseline.py",)


def find_configs(checkout: Path) -> list[Path]:
    """All of them in a checkout of returnn-experiments (or one like it), sorted: 593 at commit 2283661."""
    named = [p for pattern in ("*.config", "*.config.py") for p in checkout.rglob(pattern)]
    files = [p for p in (*named, *(checkout / name for name in _FURTHER)) if p.is_file()]
    return [p for p in sorted(set(files)) if is_network_config(p.read_text(encoding="utf-8", errors="replace"))]


def is_network_config(text: str) -> bool:
    """Whether a config is for TensorFlow and has a network: not Theano's, not PyTorch's, not RASR's, not only data."""
    if text.lstrip().startswith("{") or _TORCH.search(text):
        return False
    return _TENSORFLOW.search(text) is not None and "network" in text
