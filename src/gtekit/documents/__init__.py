"""Files of people to documents, and documents to passages that a model can read. Nothing here knows an index."""

from gtekit.documents.document import Document, Failure, Part
from gtekit.documents.passages import Passage, PassageOptions, cut_passages
from gtekit.documents.read import ReadOptions, check_readers, read_documents
from gtekit.documents.source import Source
from gtekit.documents.sources import FoundSources, find_documents, normal_root, why_missing

__all__ = [
    "Document",
    "Failure",
    "FoundSources",
    "Part",
    "Passage",
    "PassageOptions",
    "ReadOptions",
    "Source",
    "check_readers",
    "cut_passages",
    "find_documents",
    "normal_root",
    "read_documents",
    "why_missing",
]
