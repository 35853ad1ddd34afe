"""Whether two texts mean the same: a threshold, or a probability, fitted on labelled pairs."""
