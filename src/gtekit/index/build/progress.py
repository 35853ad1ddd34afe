"""The progress line of a build: files, the documents in them, and how fast they are embedded."""

from typing import TextIO

from gtekit.progress import Progress, clock


class BuildProgress(Progress):
    """Counts files, documents and tokens; a table of a million rows is one file that is seen to move."""

    def __init__(self, files: int, *, show: bool | None = None, stream: TextIO | None = None) -> None:
        """Begin to measure.

        Args:
            files: How many there are.
            show: As for `Progress`.
            stream: As for `Progress`.
        """
        super().__init__(files, show=show, stream=stream)
        self._files = files
        self._counts = (0, 0, 0)  # files, documents, tokens

    def file_done(self) -> None:
        """Count one file."""
        self._count(files=1)

    def document_done(self) -> None:
        """Count one document, embedded or not."""
        self._count(documents=1)

    def embedded(self, tokens: int) -> None:
        """Take the number of tokens embedded so far."""
        self._count(tokens=tokens - self._counts[2])

    def line(self, elapsed_s: float) -> str:
        """Give the state after some seconds as text."""
        files, documents, tokens = self._counts
        share = files / self._files if self._files else 1.0
        rate = tokens / max(elapsed_s, 1e-9)
        return (
            f"{share:4.0%}  {files:,}/{self._files:,} files  {documents:,} documents  {rate:,.0f} tokens/s  "
            f"{clock(elapsed_s)}"
        )

    def _count(self, *, files: int = 0, documents: int = 0, tokens: int = 0) -> None:
        before = self._counts
        self._counts = (before[0] + files, before[1] + documents, before[2] + tokens)
        self.update(self._counts[1], self._counts[2])
