"""Config files: RETURNN's three syntaxes, overrides, and the line that every layer and option was written on."""

from __future__ import annotations

from returnn_ir.config.assumptions import NOTHING_ASSUMED, Assumed, Assumptions
from returnn_ir.config.check_keys import misspelt_keys, refused_by_training, refused_keys
from returnn_ir.config.load import load_config, load_config_for
from returnn_ir.config.options import Config

__all__ = [
    "NOTHING_ASSUMED",
    "Assumed",
    "Assumptions",
    "Config",
    "load_config",
    "load_config_for",
    "misspelt_keys",
    "refused_by_training",
    "refused_keys",
]
