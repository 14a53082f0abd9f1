"""``task = "search"``: hypotheses of a network with choices, their scores, and the files that they are written to."""
