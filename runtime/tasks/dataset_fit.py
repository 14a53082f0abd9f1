"""Does a dataset have what the network reads? Asked before the first batch, so that nothing is computed in vain."""

from __future__ import annotations

from returnn_ir.construct.state import EPOCH_STEP
from returnn_ir.errors import DataError, ProblemList, UserError, did_you_mean
from returnn_ir.ir.graph import Graph, Node
from runtime.datasets import Dataset, DataSpec

__all__ = ["check_dataset"]


def check_dataset(name: str, dataset: Dataset, graph: Graph) -> None:
    """Compare the dataset's keys, ranks and dims with the program's inputs.

    Raises:
        ProblemList: every key that does not fit.
    """
    problems: list[UserError] = []
    for node in graph.nodes("input"):
        key = str(node.attrs["name"])
        if "/" in key or key == EPOCH_STEP:
            continue
        spec = dataset.specs.get(key)
        if spec is None:
            problems.append(
                DataError(
                    f"the dataset has no data {key!r}",
                    where=f"dataset {name!r}",
                    expected=", ".join(dataset.specs),
                    hint=did_you_mean(key, dataset.specs),
                )
            )
            continue
        problem = _misfit(name, key, node, spec)
        if problem is not None:
            problems.append(problem)
    if problems:
        raise ProblemList(problems)


def _misfit(name: str, key: str, node: Node, spec: DataSpec) -> UserError | None:
    type_ = node.result.type
    rank = len([d for d in type_.dims if not d.is_batch])
    where = f"dataset {name!r}, data {key!r}"
    hint = f"extern_data[{key!r}] must describe what the dataset holds"
    if rank != spec.ndim:
        return DataError(
            "another number of axes than the network's input",
            where=where,
            expected=f"{rank}",
            received=spec.ndim,
            hint=hint,
        )
    sparse_dim = type_.sparse_dim
    size = sparse_dim.size if sparse_dim is not None else (type_.dims[-1].size if type_.dims else None)
    if sparse_dim is None and not spec.sparse and spec.ndim < 2:
        return None
    if spec.dim is not None and size is not None and spec.dim != size:
        what = "labels" if sparse_dim is not None else "features"
        return DataError(f"another number of {what}", where=where, expected=f"{size}", received=spec.dim, hint=hint)
    return None
