"""Texts that say the same: all pairs above a threshold, and which texts to keep."""
