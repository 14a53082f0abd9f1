"""Small networks for tests of layers: written as a config, run on the reference target."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from compiler.program.program import compile_net
from compiler.target.protocol import Array
from returnn_ir import load

__all__ = ["refusal", "run_net"]


def run_net(
    path: Path,
    network: Mapping[str, Any],
    extern_data: Mapping[str, Any],
    inputs: Mapping[str, Array],
    *,
    mode: str = "eval",
    params: Mapping[str, Array] | None = None,
    **config: Any,
) -> dict[str, Array]:
    """Every layer's output, state and losses, with small random parameters unless they are given."""
    net = load(_write(path, network, extern_data, config))
    program = compile_net(net, target="reference", mode=mode, fetch=list(network), everything=True)
    rng = np.random.default_rng(1)
    drawn = {k: 0.5 * rng.normal(size=v.shape).astype(v.dtype) for k, v in program.initial_params().items()}
    drawn = {k: np.abs(v) if k.endswith("variance") else v for k, v in drawn.items()}
    return program.run(inputs, {**drawn, **(params or {})})


def refusal(path: Path, network: Mapping[str, Any], extern_data: Mapping[str, Any], **config: Any) -> str:
    """The message with which a network is refused."""
    from returnn_ir.errors import UserError

    try:
        net = load(_write(path, network, extern_data, config))
        compile_net(net, target="reference", mode="eval", fetch=list(network), everything=True)
    except UserError as error:
        return str(error)
    raise AssertionError("the network was accepted")


def _write(path: Path, network: Mapping[str, Any], extern_data: Mapping[str, Any], config: Mapping[str, Any]) -> Path:
    lines = [f"{k} = {v!r}" for k, v in config.items()]
    file = path / "net.py"
    file.write_text("\n".join([*lines, f"extern_data = {dict(extern_data)!r}", f"network = {dict(network)!r}"]) + "\n")
    return file
