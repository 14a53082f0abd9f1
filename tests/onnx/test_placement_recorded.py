"""The count of borders between host and device is what onnxruntime's CUDA provider did with the same models."""

from __future__ import annotations

import json
import zipfile
from functools import cache
from typing import Any

import onnx
import pytest

from compiler.onnx.placement import count_borders
from tests.onnx.placed_models import parsed, placed_models
from tests.onnx.record_placements import MODELS, RESULTS

RECORDED: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))["models"]


@cache
def _files() -> zipfile.ZipFile:
    return zipfile.ZipFile(MODELS)


def _model(name: str) -> Any:
    return parsed(name) if name in placed_models() else onnx.load_model_from_string(_files().read(f"{name}.onnx"))


def test_every_model_is_recorded() -> None:
    kept = {name.removesuffix(".onnx") for name in _files().namelist()}
    assert RECORDED.keys() == kept | placed_models().keys()


@pytest.mark.parametrize("name", RECORDED)
def test_as_recorded(name: str) -> None:
    placement = count_borders(_model(name))
    assert sorted([node.body, node.op, node.name] for node in placement.on_host) == RECORDED[name]["on_cpu"]
    assert sorted([copy.body, copy.to_host, copy.value] for copy in placement.copies) == RECORDED[name]["copies"]
