"""What the progress line of a build says."""

from io import StringIO

from gtekit.index.build.progress import BuildProgress


def test_a_table_is_seen_to_move_within_its_file() -> None:
    stream = StringIO()
    with BuildProgress(4, show=True, stream=stream) as progress:
        progress.file_done()
        for _ in range(1500):
            progress.document_done()
        progress.embedded(3000)
        progress.embedded(5000)
        assert progress.line(10.0) == " 25%  1/4 files  1,500 documents  500 tokens/s  0:10"
    assert "1,500 documents" in stream.getvalue()
