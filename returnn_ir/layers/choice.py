"""Layers: choice and what works on its decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from returnn_ir.errors import ConfigError
from returnn_ir.layers.context import LayerBuilder
from returnn_ir.layers.options import LayerOptions
from returnn_ir.layers.output import LayerOutput
from returnn_ir.layers.registry import layer

__all__: list[str] = []


@dataclass(frozen=True, kw_only=True)
class ChoiceOptions(LayerOptions):
    """Options of ``choice``."""

    beam_size: int
    keep_beams: bool = False
    search: bool | None = None
    add_to_beam_scores: bool | None = None
    input_type: str = "prob"
    prob_scale: float = 1.0
    base_beam_score_scale: float = 1.0
    random_sample_scale: float = 0.0
    length_normalization: bool = True
    length_normalization_exponent: float = 1.0
    custom_score_combine: Any = None
    source_beam_sizes: list[int] | None = None
    scheduled_sampling: bool | dict[str, Any] = False
    cheating: bool | str = False
    explicit_search_sources: Any = None


@layer("choice", options=ChoiceOptions, sources="many", like_target=True)
def choice(b: LayerBuilder, opt: ChoiceOptions, sources: Sequence[LayerOutput]) -> LayerOutput:
    """The label of this step: the target's, unless we search."""
    if b.session.searching and opt.search is not False:
        raise ConfigError("search is not supported yet", where=b.place())
    if opt.scheduled_sampling and b.training:
        raise ConfigError("scheduled_sampling is not supported", where=b.place("scheduled_sampling"))
    if not b.definition.targets():
        raise ConfigError("choice without search needs a target", where=b.place("target"))
    return b.target()
