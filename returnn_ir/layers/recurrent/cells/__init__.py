"""Recurrent cells: what a unit's name in ``rec`` and ``rnn_cell`` means."""

from __future__ import annotations

from returnn_ir.layers.recurrent.cells.base import Cell, CellScope, Inits, State
from returnn_ir.layers.recurrent.cells.registry import make_cell, runs_alone

__all__ = ["Cell", "CellScope", "Inits", "State", "make_cell", "runs_alone"]
