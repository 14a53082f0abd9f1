"""``task = "train"``: epochs, the network and the data of each, and what a training leaves behind."""
