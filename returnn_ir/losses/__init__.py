"""Losses: one function per name, registered in ``registry``; ``frame.add_losses`` puts them into the program."""

from __future__ import annotations

from returnn_ir.losses.attach import add_losses, has_loss

__all__ = ["add_losses", "has_loss"]
