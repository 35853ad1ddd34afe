"""Adapters for frameworks, one file each: a framework is imported when its file is imported, never before."""
