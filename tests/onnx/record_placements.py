"""Records where onnxruntime's CUDA provider puts the nodes of models, for ``test_placement_recorded.py``.

``python -m tests.onnx.record_placements`` where that provider loads (see ``tests/gpu/record_kernels.py``); nothing is
run. The models of golden cases are kept, as they are written when this is called, in ``data/placements.zip``: what is
recorded is onnxruntime's behaviour, whatever our exporter writes later. Those of ``placed_models.py`` are made from
their text.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

from compiler.check.recorded import read_recorded
from compiler.onnx.program import OnnxProgram
from compiler.program.program import compile_net
from returnn_ir import load
from tests.conformance.gaps import GOLDEN
from tests.gpu.assigned import assigned
from tests.onnx.placed_models import parsed, placed_models

__all__ = ["MODELS", "RESULTS", "main"]

DATA = Path(__file__).parent / "data"
RESULTS, MODELS = DATA / "placements.json", DATA / "placements.zip"

#: Golden cases with the opset that they are written for: loops, branches, searches, units, masks, integers, spectra.
CASES = {
    "alignment/edit_distance_table": 21,
    "attention/own_self_attention_relative": 21,
    "attention/self_attention_keep_in_loop": 21,
    "combine_eval/combine_broadcast_time": 21,
    "conv_pool/own_pool_more": 22,
    "dense/linear_no_time": 21,
    "masking_transducer/masked_name_scopes": 21,
    "masking_transducer/own_masked_attention_train": 21,
    "rec_units/gru": 21,
    "reduce_norm/own_norm_more": 21,
    "search/att_decoder": 21,
    "selection/own_top_k_dynamic": 21,
    "signal/multichannel_stft": 21,
    "special/model_blstm_ctc": 21,
    "special/model_conformer_ctc": 21,
    "special/model_mt_transformer_search": 21,
    "subnet_cond/own_cond_in_loop": 21,
    "subnet_cond/own_cond_state": 17,
}


def main() -> int:
    """Write both files."""
    import onnxruntime

    placements = {}
    DATA.mkdir(exist_ok=True)
    with zipfile.ZipFile(MODELS, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as held:
        for name, model in _golden():
            held.writestr(zipfile.ZipInfo(f"{name}.onnx"), model, zipfile.ZIP_DEFLATED)
            placements[name] = _placement(model)
    placements |= {name: _placement(parsed(name).SerializeToString()) for name in placed_models()}
    entries = ",\n".join(f"  {json.dumps(name)}: {json.dumps(held)}" for name, held in placements.items())
    version = json.dumps(onnxruntime.__version__)
    RESULTS.write_text(f'{{\n "onnxruntime": {version},\n "models": {{\n{entries}\n }}\n}}\n', encoding="utf-8")
    print(f"wrote {len(placements)} placements")
    return 0


def _golden() -> Iterator[tuple[str, bytes]]:
    for case, opset in CASES.items():
        path = GOLDEN / f"{case}.py"
        recorded = read_recorded(path.with_suffix(".npz"))
        wanted = list(recorded.outputs)
        net = load(path)
        program = compile_net(net, target="onnx", mode=recorded.mode, fetch=wanted, everything=True, opset=opset)
        assert isinstance(program.executable, OnnxProgram)
        yield case, program.executable.model(recorded.params).SerializeToString()


def _placement(model: bytes) -> dict[str, Any]:
    found = assigned(model)
    return {
        "on_cpu": sorted(list(node) for node in found.on_cpu),
        "copies": [list(astuple(copy)) for copy in found.copies],
    }


if __name__ == "__main__":
    sys.exit(main())
