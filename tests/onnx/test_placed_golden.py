"""Exported golden cases for CUDA have nothing on the CPU that does not belong there, beyond a short table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from compiler.check.recorded import read_recorded
from compiler.onnx.placement import HostNode, count_borders
from compiler.program.parameters import unstarted_states
from compiler.program.program import compile_net
from returnn_ir import load
from tests.conformance.gaps import GOLDEN, all_cases, gap

#: What has no kernel on CUDA and stays on the CPU at opset 21, and why no other nodes take its place.
LEFT = {
    "GRU": "cuDNN's applies the reset gate behind the product, RETURNN's in front; a Loop in its place starts "
    "kernels in each frame, where a layer on the CPU has two copies",
}
#: One or more of each kind that once had other nodes on the CPU, and searches.
FAST = (
    "alignment/edit_distance_layer",  # Pad of int64, by position
    "alignment/edit_distance_table",  # ... in a loop, ArgMin of int32 in a loop
    "alignment/fast_bw_ctc",
    "alignment/forced_align_rna",
    "alignment/own_blank_completions",
    "attention/own_transformer_lm",  # Pad of int32
    "combine_eval/own_eval_zoo",  # Atan
    "combine_eval/own_sparse_zoo",  # labels padded, cut, moved, in windows
    "losses/ctc_beam_error",  # ArgMax of int64 in a loop
    "losses/ctc_native",
    "losses/label_smoothing_of_vocabulary",
    "masking_transducer/masked_computation_static",
    "masking_transducer/masked_lstm",
    "reduce_norm/own_reduce_out_more",
    "rec_units/basiclstm",
    "rec_units/gru",
    "search/own_behind_ended_search",
    "search/own_masked_behind_search",
    "search/transformer_decoder",
    "shape/dims_same_features",
    "special/model_att_encdec",
)
FAMILIES = sorted({case.partition("/")[0] for case in all_cases()})


def _unplaced(case: str) -> Iterator[HostNode]:
    """The nodes on the CPU that do not belong there."""
    recorded = read_recorded(GOLDEN / f"{case}.npz")
    net = load(GOLDEN / f"{case}.py", mode=recorded.mode)
    fetch = list(recorded.outputs)
    program = compile_net(net, target="onnx", mode=recorded.mode, fetch=fetch, everything=True, device="cuda")
    executable: Any = program.executable
    placement = count_borders(executable.model({**unstarted_states(program), **recorded.params}))
    yield from (fault for fault in placement.faults if isinstance(fault, HostNode))


@pytest.mark.parametrize("case", FAST)
def test_all_that_belongs_there_is_on_cuda(case: str) -> None:
    assert {node.op for node in _unplaced(case)} == ({"GRU"} if case == "rec_units/gru" else set())


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_of_all_cases(family: str) -> None:
    cases = [case for case in all_cases() if case.startswith(f"{family}/") and gap(case, "onnx") is None]
    found = {(case, node.op, node.reason) for case in cases for node in _unplaced(case)}
    assert {one for one in found if one[1] not in LEFT} == set()
