"""Losses: one function per name, registered in :mod:`returnn_ir.network.loss_registry`."""
