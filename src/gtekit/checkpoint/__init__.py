"""Checkpoint files -> configuration, named arrays, tokenizer files and a fingerprint."""

from gtekit.checkpoint.load import Checkpoint, load_checkpoint

__all__ = ["Checkpoint", "load_checkpoint"]
