"""What happens to every layer's output: dims of the user, batch norm, registration, loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from returnn_ir.axes.output import LayerOutput
from returnn_ir.construct.attach_losses import add_losses, has_loss
from returnn_ir.construct.constraints import add_constraints
from returnn_ir.construct.declared_dims import use_declared
from returnn_ir.construct.loop_context import PendingLoss
from returnn_ir.construct.out_shape import check_dims
from returnn_ir.construct.parameters import treat_inner_params
from returnn_ir.errors import ConfigError, DimError
from returnn_ir.ir.mode import Mode

if TYPE_CHECKING:
    from returnn_ir.construct.layer_builder import LayerBuilder

__all__ = ["APPLIED", "common_option", "finish_layer"]

#: What an option that every layer has does to the layer's output; the modules of such layers register it.
APPLIED: dict[str, Callable[[LayerBuilder, LayerOutput, Any], LayerOutput]] = {}


def common_option(
    key: str,
) -> Callable[[Callable[[LayerBuilder, LayerOutput, Any], LayerOutput]], Callable[..., LayerOutput]]:
    """Register what the option ``key`` of every layer does to its output: (builder, output, value) -> output."""

    def add(apply: Callable[[LayerBuilder, LayerOutput, Any], LayerOutput]) -> Callable[..., LayerOutput]:
        APPLIED[key] = apply
        return apply

    return add


def finish_layer(b: LayerBuilder, output: LayerOutput) -> LayerOutput:
    """Apply the common options to what the layer function made."""
    options = b.definition.options
    own = b.program.dims.get((b.definition.path, "out"))
    if own is not None:
        output = replace(
            b.finish_feature(output, own),
            activation=output.activation,
            states=output.states,
            parts=output.parts,
            once=output.once,
        )
    for key, apply in APPLIED.items():
        given = getattr(options, key)
        if given:
            output = apply(b, output, given)
    _require_size(b, output)
    output = _with_loss_of_source(b, output)
    shown = use_declared(b, output)
    if shown is not output:
        output = replace(shown, activation=output.activation, states=output.states, parts=output.parts)
    if b.scope.loop is None or not b.scope.loop.trial:
        check_dims(b, output)
    if options.register_as_extern_data:
        b.program.extern.register(options.register_as_extern_data, output)
    if options.control_dependencies_on_output:
        b.note("the operations that control_dependencies_on_output gives, checks mostly, are not run")
    if b.definition.children:
        treat_inner_params(b)
    if b.program.mode != Mode.FORWARD:
        add_constraints(b, output)
    if b.scope.has_losses and has_loss(options, b.program.loss_mode):
        if b.scope.loop is None:
            add_losses(b, output)
        elif (
            b.program.mode != Mode.SEARCH
        ):  # RETURNN's train flag is the constant False there: loops have no losses then
            b.scope.loop.losses.append(PendingLoss(b.scope, b.definition, output))
    return output


#: How the name of a part begins that no reference can name: a loss that a layer computed beside its output.
_HIDDEN = "/:"


def _with_loss_of_source(b: LayerBuilder, output: LayerOutput) -> LayerOutput:
    """The output with the loss that a source has, which ``via_layer`` asks for."""
    index, names = b.definition.options.copy_output_loss_from_source_idx, b.definition.sources
    if index is None:
        return output
    if not -len(names) <= index < len(names):
        raise ConfigError(
            "no such source",
            where=b.place("copy_output_loss_from_source_idx"),
            expected=f"0 to {len(names) - 1}" if names else "a layer with sources",
            received=index,
        )
    held = {name: part for name, part in b.layer(names[index]).parts.items() if name.startswith(_HIDDEN)}
    return replace(output, parts={**output.parts, **held}) if held else output


def _require_size(b: LayerBuilder, output: LayerOutput) -> None:
    """The number of features, or of labels, is the one that ``n_out`` and ``out_type`` say."""
    if b.definition.spec.any_size:
        return
    options = b.definition.options
    out_type = options.out_type if isinstance(options.out_type, dict) else {}
    made = output.feature_or_sparse_dim
    if made is None and output.dtype == "bool" and out_type.get("dim") == 2:  # RETURNN's flags are two labels
        return
    for key, size in (("n_out", options.n_out), ("out_type", out_type.get("dim"))):
        if size is not None and (made is None or made.size != size):
            expected = made if made is not None else "no size: the output has no feature axis"
            raise DimError("the output has another size", where=b.place(key), expected=expected, received=size)
