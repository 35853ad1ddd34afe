"""Whole jobs: a file of texts becomes a file of vectors."""

from gtekit.bulk.check_files import check_files
from gtekit.bulk.dtypes import DTYPES, Dtype
from gtekit.bulk.embed_file import EmbedSummary, embed_file, partial_folder
from gtekit.bulk.file_options import FileOptions

__all__ = ["DTYPES", "Dtype", "EmbedSummary", "FileOptions", "check_files", "embed_file", "partial_folder"]
