"""Whole jobs: a file of texts becomes a file of vectors."""

from gtekit.bulk.embed_file import EmbedSummary, FileOptions, check_files, embed_file
from gtekit.bulk.numbers import NUMBER_FORMATS, NumberFormat

__all__ = ["NUMBER_FORMATS", "EmbedSummary", "FileOptions", "NumberFormat", "check_files", "embed_file"]
