"""What passes say of having changed a graph is true, compared with its text, over whole pipelines of real nets."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.passes.base import Context
from compiler.program.pipelines import LOWER, NAMED
from returnn_ir import load
from returnn_ir.construct.construct import construct
from returnn_ir.ir.op import Trait, all_ops
from tests.filecheck import RefusingTarget, run_truthfully

GOLDEN = Path(__file__).parents[1] / "golden"
COMPOSITES = tuple(op.name for op in all_ops() if op.has(Trait.COMPOSITE))
NETS = {
    "attention/dot_attention_decoder": "train",
    "masking_transducer/masked_in_loop": "train",
    "rec_subnet/rec_in_rec": "train",
    "search/keep_beams_decide": "search",
    "search/lm_fusion": "search",
    "search/own_combine_function": "search",
    "signal/multichannel_stft": "train",
    "subnet_cond/cond_layer": "train",
    "special/model_transformer_asr": "search",
}


@pytest.mark.parametrize("refused", [(), COMPOSITES], ids=["all", "primitives"])
@pytest.mark.parametrize("net", NETS)
def test_passes_tell_the_truth(net: str, refused: tuple[str, ...]) -> None:
    mode = NETS[net]
    graph = construct(load(GOLDEN / f"{net}.py", mode=mode), mode, everything=mode == "train").graph
    context = Context(RefusingTarget(refused))
    for pass_ in (*NAMED, *LOWER):
        run_truthfully(pass_, graph, context)
    assert graph.stage == "target"
