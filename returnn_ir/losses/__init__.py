"""Losses: one function per name, registered in ``registry``; ``attach`` puts them into the program."""

from __future__ import annotations

from returnn_ir.losses.attach import add_losses, has_loss
from returnn_ir.losses.constraints import add_constraints

__all__ = ["add_constraints", "add_losses", "has_loss"]
