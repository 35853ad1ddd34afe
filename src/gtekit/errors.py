"""Every exception and warning of the package.

GtekitError
├── ArgumentError            (also ValueError)   a value that no call can use
│   ├── ShapeError                               arrays that do not fit together
│   ├── SpaceError                               vectors, or a calibration, of another model
│   └── TruncationError                          a text longer than the model reads, where that is refused
├── TextTypeError            (also TypeError)    something in `texts` that is not a str
├── CheckpointError          (also ValueError)   a file of a checkpoint that is wrong
│   ├── ArchitectureError                        a model of another kind
│   └── PickleRefusedError                       weights that only a pickle holds
├── ModelNotFoundError       (also OSError)      no checkpoint under that name, here or on the hub
├── EndpointError            (also OSError)      a server of embeddings that can't be reached, or answers wrongly
├── FileFormatError          (also ValueError)   an input or output file that can't be read or written as asked
├── VectorIndexError         (also RuntimeError) an index that is not there, is damaged, or is held by another process
├── MissingExtraError        (also ImportError)  an optional package that is not installed
├── EvaluationError          (also RuntimeError) a task of MTEB that could not be run
└── EngineError              (also RuntimeError) the native core refused: kernels, threads, memory

GtekitWarning (UserWarning)
├── CheckpointWarning                            a checkpoint that leaves something open, and what was assumed
├── TruncationWarning                            texts were cut at the model's length
└── LanguageWarning                              text that the vocabulary hardly covers
"""


class GtekitError(Exception):
    """Base of every error that this package raises on purpose."""


class ArgumentError(GtekitError, ValueError):
    """A value that no call can use."""


class ShapeError(ArgumentError):
    """Arrays that do not fit together."""


class SpaceError(ArgumentError):
    """Vectors, or something that was fitted on vectors, belong to another model."""


class TruncationError(ArgumentError):
    """A text is longer than the model reads and `on_truncation="error"` was asked for."""


class TextTypeError(GtekitError, TypeError):
    """Something among the texts is not a str."""


class CheckpointError(GtekitError, ValueError):
    """A file of a checkpoint is missing, damaged, or does not fit the others."""


class ArchitectureError(CheckpointError):
    """The checkpoint holds a model of a kind that this package does not run."""


class PickleRefusedError(CheckpointError):
    """The weights are only there as a pickle, which can run code when it is opened."""


class ModelNotFoundError(GtekitError, OSError):
    """No checkpoint was found under a name: no folder, not cached, and the hub did not have it."""


class EndpointError(GtekitError, OSError):
    """A server that makes embeddings can't be reached, refuses, or answers with something else."""


class FileFormatError(GtekitError, ValueError):
    """An input or output file can't be read or written as asked."""


class VectorIndexError(GtekitError, RuntimeError):
    """An index is not there, is damaged, or can't do what was asked of it."""


class MissingExtraError(GtekitError, ImportError):
    """An optional package is needed and not installed."""

    def __init__(self, purpose: str, extra: str, package: str) -> None:
        super().__init__(f"{purpose} needs {package}, which is not installed: pip install 'gtekit[{extra}]'")


class EvaluationError(GtekitError, RuntimeError):
    """A task of MTEB could not be run."""


class EngineError(GtekitError, RuntimeError):
    """The native core refused: unknown kernels, no threads, no memory."""


class GtekitWarning(UserWarning):
    """Base of every warning of this package."""


class CheckpointWarning(GtekitWarning):
    """A checkpoint leaves something open; the message says what was assumed."""


class TruncationWarning(GtekitWarning):
    """Texts were cut at the model's length."""


class LanguageWarning(GtekitWarning):
    """Text was embedded that the model's vocabulary hardly covers."""
