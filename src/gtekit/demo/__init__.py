"""gtekit's demonstration: real text that every machine has, questions, answers with scores, and a picture."""

from gtekit.demo.docstrings import Docstring, standard_library_docstrings
from gtekit.demo.model import choose_model
from gtekit.demo.picture import Answer, Picture, wheel_of
from gtekit.demo.search import PAGE_TEXTS, QUESTIONS, Demo, draw, search

__all__ = [
    "PAGE_TEXTS",
    "QUESTIONS",
    "Answer",
    "Demo",
    "Docstring",
    "Picture",
    "choose_model",
    "draw",
    "search",
    "standard_library_docstrings",
    "wheel_of",
]
