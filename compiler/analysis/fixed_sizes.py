"""Whether a program can have one size for each of its axes, whatever is fed, and which."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from compiler.analysis.bounds import Bounds, bounded_dims
from compiler.analysis.tails import excludes_tail, has_common_length, tail_readers
from compiler.target.fixed_batch import FixedBatch
from returnn_ir.errors import ProblemList, TargetError, UserError
from returnn_ir.ir.dims import Dim
from returnn_ir.ir.graph import Graph, Node
from returnn_ir.ir.op import Trait

__all__ = ["fixed_sizes"]

#: Reductions in which an entry may stand twice.
_IDEMPOTENT = ("all", "any", "max", "min")
#: They give, move or count the entries of an axis; none becomes another one by who stands beside it.
_ENTRY_BY_ENTRY = frozenset(
    {"expand", "merge", "rename", "split", "transpose", "resize_axis", "size_of", "loop", "cond", "masked_select"}
)
#: They give an axis another name, another place or another size.
_WITHIN_LENGTHS = frozenset({"expand", "rename", "resize_axis", "transpose", "loop", "cond"})


def fixed_sizes(
    graph: Graph,
    fixed: FixedBatch,
    *,
    parts: Sequence[Graph] | None = None,
    behind: Collection[Node] = (),
    batch_scores: Collection[str] = (),
) -> dict[Dim, int]:
    """The size of each axis that has none.

    Args:
        graph: the whole program, in the TARGET stage.
        fixed: what it is to be fed with.
        parts: what is to have one size, if that is not all of it; they have the program's dims.
        behind: what is in none of these parts.
        batch_scores: the layers whose scores depend on the batch.

    Raises:
        ProblemList: results depend on what is put behind the sequences or beside them, or an axis has no bound.
    """
    made = [graph] if parts is None else list(parts)
    bounds = Bounds(graph, fixed.batch, fixed.longest)
    found = {dim: bounds.extent(dim) for dim in dict.fromkeys(d for part in made for d in bounded_dims(part))}
    problems = [
        *_tails(graph, found, frozenset(behind)),
        *_scores(batch_scores),
        *_over_batch(made),
        *_without_bound(graph, made, [dim for dim, size in found.items() if size is None]),
    ]
    if problems:
        raise ProblemList(problems)
    return {dim: size for dim, size in found.items() if size is not None}


def _tails(graph: Graph, dims: Collection[Dim], behind: Collection[Node]) -> Iterator[UserError]:
    readers = tail_readers(graph, dims)
    if readers:
        yield TargetError(
            f"fixed sizes pad every batch, and results depend on the padding in {', '.join(readers)}",
            where="--max-length",
            hint=f'padding = "masked" in the config; where it is, {_ONLY_DYNAMIC}',
        )
    common = [layer for layer in dict.fromkeys(_common_tail_readers(graph, dims, behind)) if layer not in readers]
    if common:
        yield TargetError(
            "fixed sizes make an axis longer than its one length for the whole batch, and nothing says what does not "
            f"count to {', '.join(common)}",
            where="--max-length",
            hint=_ONLY_DYNAMIC,
        )


def _common_tail_readers(graph: Graph, dims: Collection[Dim], behind: Collection[Node]) -> Iterator[str]:
    """The layers that look behind the end of an axis that has one length for the whole batch.

    There is nothing, unless its size is fixed; so any op may do so without saying it. Masked ops get their masks.
    """
    for region in graph.body.regions():
        for node in region.nodes:
            if node.op.name in _WITHIN_LENGTHS or node.op.has(Trait.MASKED) or node in behind:
                continue
            common = [d for d in node.addressed_dims() if d in dims and has_common_length(region, d)]
            if any(not _forbids_tail(node, d) for d in common):
                yield node.origin.layer or node.op.name


def _forbids_tail(node: Node, dim: Dim) -> bool:
    """Whether it is an attention that has the mask of its keys."""
    masks = node.operands[3:] if node.op.name == "attention" and node.attrs["keys"] is dim else []
    return any(excludes_tail(value, dim) for value in masks)


def _scores(layers: Collection[str]) -> Iterator[UserError]:
    if layers:
        yield TargetError(
            f"fixed sizes pad every batch, and scores depend on the batch in {', '.join(sorted(layers))}",
            where="--batch",
            hint='search_scores = "independent" in the config',
        )


def _over_batch(parts: Sequence[Graph]) -> Iterator[UserError]:
    """What mixes sequences: the copies that fill a batch up would count."""
    nodes = (node for part in parts for node in part.body.walk() if _mixes_sequences(node))
    layers = list(dict.fromkeys(node.origin.layer or node.op.name for node in nodes))
    if layers:
        yield TargetError(
            f"fixed sizes fill every batch up, and {', '.join(layers)} computes over the sequences of a batch",
            where="--batch",
            hint="export it without --batch and --max-length",
        )


def _mixes_sequences(node: Node) -> bool:
    if node.op.name in _ENTRY_BY_ENTRY or not any(dim.is_batch for dim in node.addressed_dims()):
        return False
    return node.op.name != "reduce" or node.attrs["kind"] not in _IDEMPOTENT


def _without_bound(graph: Graph, parts: Sequence[Graph], dims: Sequence[Dim]) -> Iterator[UserError]:
    picked = [node for part in parts for node in part.body.walk() if node.op.name == "masked_select"]
    for layer in dict.fromkeys(node.origin.layer for node in picked):
        yield TargetError(
            f"the number of frames that {layer} picks is known in a run only", where="--max-length", hint=_ONLY_DYNAMIC
        )
    for dim in dims:
        if not picked:
            yield TargetError(
                f"nothing bounds the length of the axis {dim.name}{_maker(graph, dim)}",
                where="--max-length",
                hint=f"a max_seq_len that follows from numbers and input lengths, or {_ONLY_DYNAMIC}",
            )


_ONLY_DYNAMIC = "export it without --batch and --max-length"


def _maker(graph: Graph, dim: Dim) -> str:
    for region in graph.body.regions():
        length = region.dim_defs.get(dim)
        if length is not None and length.node is not None and length.node.origin.layer:
            return f" of {length.node.origin.layer}"
    return ""
