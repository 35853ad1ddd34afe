"""Whole jobs: a file of texts becomes a file of vectors."""

from gtekit.bulk.dtypes import DTYPES, Dtype
from gtekit.bulk.embed_file import EmbedSummary, FileOptions, check_files, embed_file

__all__ = ["DTYPES", "Dtype", "EmbedSummary", "FileOptions", "check_files", "embed_file"]
