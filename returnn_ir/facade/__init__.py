"""RETURNN's objects as config code sees them (``Data``, layers, the network, the config), over any kind of tensor."""
