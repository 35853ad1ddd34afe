"""Labels for texts: from descriptions of the labels, or from examples."""
