"""The order of the passes: tuples that read from top to bottom, checked when this module is imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from compiler.passes.base import Context, Journal, Pass, check_order, run_pass
from compiler.passes.check_labels import ComputedLabels, KnownLabels
from compiler.passes.cleanup.cse import Cse
from compiler.passes.cleanup.dce import Dce
from compiler.passes.cleanup.fold_constants import FoldConstants
from compiler.passes.cleanup.known_branches import KnownBranches
from compiler.passes.cleanup.simplify import Simplify
from compiler.passes.cleanup.small_factors_first import SmallFactorsFirst
from compiler.passes.loops.history_to_carry import HistoryToCarry
from compiler.passes.loops.hoist_from_loop import HoistFromLoop, HoistInvariants
from compiler.passes.loops.join_products import JoinProducts
from compiler.passes.loops.prune_loops import PruneLoops
from compiler.passes.lowering.assign_axes import AssignAxes
from compiler.passes.lowering.channels_first import ChannelsFirst
from compiler.passes.lowering.fuse_attention import FuseAttention
from compiler.passes.lowering.fuse_bidirectional import FuseBidirectional
from compiler.passes.lowering.fuse_skip_norm import FuseSkipNorm
from compiler.passes.lowering.gather_behind_dot import GatherBehindDot
from compiler.passes.lowering.join_slices import JoinSlices
from compiler.passes.lowering.legalize import CheckAccepted, CheckEffects, ExpandComposites
from compiler.passes.lowering.materialize_masks import MaterializeMasks
from compiler.passes.lowering.mixed_precision import MixedPrecision
from compiler.passes.lowering.split_complex import SplitComplex
from compiler.passes.search.expand_search import ExpandSearch
from compiler.target.protocol import Target
from returnn_ir.ir.graph import Graph
from returnn_ir.ir.mode import Stage
from returnn_ir.text.verify import verify

__all__ = [
    "LOWER",
    "MEANING",
    "NAMED",
    "OPTIMIZE",
    "PIPELINES",
    "PLAIN",
    "SEARCH",
    "PrintStage",
    "for_fixed_sizes",
    "lower_to",
    "run_pipeline",
]

#: Called with the stage's name and the graph, when the graph has reached that stage.
PrintStage = Callable[[Stage, Graph], None]

#: Any stage: what makes a graph smaller and keeps its meaning.
OPTIMIZE: tuple[Pass, ...] = (Simplify(), FoldConstants(), KnownBranches(), Cse(), Dce())

#: What a hypothesis remembers is carried from step to step, then the loops that search get their beams.
SEARCH: tuple[Pass, ...] = (HistoryToCarry(searching=True), ExpandSearch())

#: In NAMED: labels get their ranges and searches their beams. Without these passes a program has no meaning.
MEANING: tuple[Pass, ...] = (KnownLabels(), *SEARCH)

#: Nothing but the meaning: the program that an export is compared with.
PLAIN: tuple[Pass, ...] = (*MEANING, Dce())

#: What a check runs, and every target starts from.
NAMED: tuple[Pass, ...] = (*MEANING, *OPTIMIZE)

#: From NAMED, optimised once, to what the target takes.
LOWER: tuple[Pass, ...] = (
    CheckEffects(),
    HoistFromLoop(),
    ComputedLabels(),  # what has left the loops can be checked
    PruneLoops(),
    *OPTIMIZE,
    FuseBidirectional(),  # before a refused lstm is expanded, after equal inputs have become one value
    HistoryToCarry(),
    FuseAttention(),  # after what leaves the loops has left them, before the softmax is expanded or gets its casts
    MixedPrecision(),  # once all has left the loops that can, so that its casts stand outside, and composites are whole
    FuseSkipNorm(),  # before a refused layer_norm is expanded
    ExpandComposites(),
    SplitComplex(),  # after transforms of a target without complex numbers are expanded
    Simplify(),
    MaterializeMasks(),
    JoinProducts(),
    SmallFactorsFirst(),  # after composites are expanded, before what depends on no step leaves the loops
    HoistInvariants(),  # masks are explicit now
    GatherBehindDot(),  # the energies of relative positions, which are no operand of attention's
    *OPTIMIZE,
    ChannelsFirst(),
    AssignAxes(),
    *OPTIMIZE,
    JoinSlices(),
    CheckAccepted(),
)

#: What is different where every axis has one size in every run: what a search remembers has its final size from the
#: start, and an axis may be longer than its length even if that is one for the whole batch.
_FIXED: Mapping[Pass, Pass] = {
    HistoryToCarry(searching=True): HistoryToCarry(searching=True, growing=False),
    MaterializeMasks(): MaterializeMasks(fixed=True),
}


def for_fixed_sizes(passes: Sequence[Pass]) -> tuple[Pass, ...]:
    """The same passes for a program whose axes have one size in every run."""
    return tuple(_FIXED.get(pass_, pass_) for pass_ in passes)


#: All of these by name, for command lines.
PIPELINES: Mapping[str, tuple[Pass, ...]] = {
    "optimize": OPTIMIZE,
    "search": SEARCH,
    "meaning": MEANING,
    "plain": PLAIN,
    "named": NAMED,
    "lower": LOWER,
}

check_order((*NAMED, *LOWER), Stage.NAMED)
check_order(PLAIN, Stage.NAMED)


def run_pipeline(
    graph: Graph,
    passes: Sequence[Pass],
    context: Context,
    *,
    verify_each: bool = False,
    print_stage: PrintStage | None = None,
) -> None:
    """Run ``passes`` on ``graph`` in place; it is verified wherever the stage changes, or after every pass."""
    check_order(passes, graph.stage)
    for pass_ in passes:
        before = graph.stage
        run_pass(pass_, graph, context)
        entered = graph.stage != before
        if entered or verify_each:
            verify(graph, after=pass_.name)
        if entered and print_stage is not None:
            print_stage(graph.stage, graph)


def lower_to(
    graph: Graph,
    target: Target,
    *,
    verify_each: bool = False,
    fusion: Mapping[str, str] | None = None,
    precision: str | None = None,
    print_stage: PrintStage | None = None,
    passes: Sequence[Pass] = LOWER,
    fixed: bool = False,
) -> tuple[Graph, Journal]:
    """Bring a graph in place to the TARGET stage, with only ops that ``target`` accepts.

    Args:
        graph: in the NAMED stage.
        target: the backend.
        verify_each: verify after every pass instead of at stage boundaries (tests).
        fusion: the config's ``fusion``: composite name to ``require``, ``prefer`` or ``never``.
        precision: see :class:`Context`.
        print_stage: called at the start and at every stage that is reached (``--print-ir``).
        passes: the pipeline.
        fixed: every axis is to have one size in every run.

    Raises:
        TargetError: an op that the target cannot run.
    """
    context = Context(target, fusion or {}, precision)
    verify(graph)
    named = NAMED
    if fixed:
        named, passes = for_fixed_sizes(NAMED), for_fixed_sizes(passes)
    run_pipeline(graph, named, context, verify_each=verify_each)
    if print_stage is not None:
        print_stage(graph.stage, graph)
    run_pipeline(graph, passes, context, verify_each=verify_each, print_stage=print_stage)
    return graph, context.journal
