"""The run time: datasets, training, decoding, checkpoints; ``returnn-run`` is its command line."""
