"""The ops: one module per family. ``spec.get_op`` finds them by name."""
