"""A name or folder -> Checkpoint: everything that the layers above need, checked before anything runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from gtekit.arrays import Array
from gtekit.checkpoint.config import read_model_config
from gtekit.checkpoint.json_files import read_json_object, regular_file_status
from gtekit.checkpoint.locate import Location, locate
from gtekit.checkpoint.modules import Modules, read_max_tokens, read_modules, read_pooling, read_prompts
from gtekit.checkpoint.registry import find_known
from gtekit.checkpoint.stamps import FileStamp, stamp_files
from gtekit.checkpoint.weights import read_tensors, weight_files
from gtekit.config import ModelConfig, Pooling, TokenizerFiles
from gtekit.errors import ArchitectureError, CheckpointError, CheckpointWarning
from gtekit.notices import warn_caller
from gtekit.wordpiece import bert_normalizer, normalizer_that_runs


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A model as its files describe it."""

    name: str  # the hub id, or the folder as it was given
    folder: Path
    encoder_folder: Path  # where config.json, weights and tokenizer lie: mostly `folder` itself
    revision: str | None  # the pinned commit, for a model of the hub
    config: ModelConfig
    tensors: Mapping[str, Array] = field(repr=False)  # by the names in gtekit.checkpoint.tensors
    tokenizer_files: TokenizerFiles
    pooling: Pooling
    normalize: bool
    max_tokens: int  # of a text, [CLS] and [SEP] included
    prompts: Mapping[str, str]
    default_prompt_name: str | None
    stamps: tuple[FileStamp, ...] = field(repr=False)  # the files that decide the vectors, as they were when loaded

    @cached_property
    def fingerprint(self) -> str:
        """The name of the vector space, 64 hexadecimal digits. Computed when first asked for, and kept on disk."""
        from gtekit.checkpoint.fingerprint import Space, fingerprint  # not needed on the way to the first vector

        return fingerprint(
            Space(
                config=self.config,
                encoder_folder=self.encoder_folder,
                tokenizer_files=self.tokenizer_files,
                pooling=self.pooling,
                normalize=self.normalize,
                stamps=self.stamps,
            )
        )

    def without_tensors(self) -> "Checkpoint":
        """The same checkpoint without its weights in memory: for those who have handed them to an engine."""
        return replace(self, tensors={})


def load_checkpoint(
    name_or_path: str | Path,
    *,
    revision: str | None = None,
    cache_folder: Path | None = None,
    local_files_only: bool = False,
    token: str | None = None,
    timeout_s: float | None = None,
) -> Checkpoint:
    """Find and read a checkpoint. No code that comes with it is ever run.

    Args:
        name_or_path: gte-small | gte-base | gte-large, another short name, a Hugging Face id, or a folder.
        revision: A commit, branch or tag; None: main.
        cache_folder: Stands in for the Hugging Face cache of the environment.
        local_files_only: Never use the network.
        token: For gated and private models.
        timeout_s: Give up on a hub that has not answered by then; None: the patience of huggingface_hub.

    Raises:
        ModelNotFoundError: If there is no such model here or on the hub, with the ways out.
        ArchitectureError: If it is no BERT encoder.
        PickleRefusedError: If its weights are only there as a pickle.
        CheckpointError: If a file is missing, damaged, or does not fit the others.
    """
    location = locate(
        name_or_path,
        revision=revision,
        cache_folder=cache_folder,
        local_files_only=local_files_only,
        token=token,
        timeout_s=timeout_s,
    )
    return read_checkpoint(location)


def read_checkpoint(location: Location) -> Checkpoint:
    """Read the checkpoint that lies at `location`."""
    folder = location.folder
    modules = read_modules(folder)
    encoder = modules.encoder if modules else folder
    _refuse_adapter(encoder)
    config = read_model_config(encoder / "config.json")  # first: another architecture is the error to tell
    tokenizer_files = _tokenizer_files(encoder)
    pooling_config = _pooling_config(location, modules)
    # before any of the values that count is read
    stamps = stamp_files(_files_that_matter(encoder, pooling_config, tokenizer_files))
    pooling, normalize = _pooling(location, modules, pooling_config)
    prompts, default_prompt_name = read_prompts(folder)
    known = find_known(location.name)
    if known and not any(prompts.values()):
        prompts = {**prompts, **known.prompts}
    return Checkpoint(
        name=location.name,
        folder=folder,
        encoder_folder=encoder,
        revision=location.revision,
        config=config,
        tensors=read_tensors(encoder, config),
        tokenizer_files=tokenizer_files,
        pooling=pooling,
        normalize=normalize,
        max_tokens=read_max_tokens(encoder, tokenizer_files.settings, config),
        prompts=prompts,
        default_prompt_name=default_prompt_name,
        stamps=stamps,
    )


def _pooling_config(location: Location, modules: Modules | None) -> Path | None:
    """The file that says how to pool; None for a known model without modules.json, and where there is no such file."""
    if modules:
        return modules.pooling_config
    path = location.folder / "1_Pooling" / "config.json"
    return path if path.exists() and not find_known(location.name) else None


def _pooling(location: Location, modules: Modules | None, config: Path | None) -> tuple[Pooling, bool]:
    """Pooling and normalization, as modules.json says.

    Without that file it is the table's word for a known model. For any other the pooling is that of 1_Pooling, or else
    what sentence-transformers does with a plain BERT, the mean; nothing is normalized; and a warning says so.
    """
    if modules and config:
        return read_pooling(config), modules.normalize
    known = find_known(location.name)
    if known:
        return known.pooling, known.normalize
    pooling = read_pooling(config) if config else "mean"
    source = "as 1_Pooling/config.json says" if config else "as sentence-transformers does"
    warn_caller(
        f"{location.name}: has no modules.json, which would say how token vectors become one. Assumed: pooling by "
        f"{pooling}, {source}, and no normalization. If the model was made for something else, its vectors mean "
        "little: add the modules.json that sentence-transformers writes (Transformer, Pooling, Normalize).",
        CheckpointWarning,
    )
    return pooling, False


def _files_that_matter(encoder: Path, pooling_config: Path | None, tokenizer: TokenizerFiles) -> list[Path]:
    """The files that decide the vectors: what the fingerprint is made from."""
    files = [encoder / "config.json", *weight_files(encoder)]
    files += [path for path in (tokenizer.tokenizer_json or tokenizer.vocab_txt,) if path]
    settings = encoder / "tokenizer_config.json"
    files += [settings] if settings.exists() else []
    return files + ([pooling_config] if pooling_config else [])


def _tokenizer_files(encoder: Path) -> TokenizerFiles:
    tokenizer_json, vocab_txt = encoder / "tokenizer.json", encoder / "vocab.txt"
    if not tokenizer_json.exists() and not vocab_txt.exists():
        raise CheckpointError(f"{encoder}: expected tokenizer.json or vocab.txt, found neither.")
    for path in (tokenizer_json, vocab_txt):
        if path.exists():
            regular_file_status(path)
    settings = encoder / "tokenizer_config.json"
    files = TokenizerFiles(
        tokenizer_json=tokenizer_json if tokenizer_json.exists() else None,
        vocab_txt=vocab_txt if vocab_txt.exists() else None,
        settings=read_json_object(settings) if settings.exists() else {},
    )
    _check_lower_case(encoder / "sentence_bert_config.json", files)
    return files


def _check_lower_case(path: Path, files: TokenizerFiles) -> None:
    """`do_lower_case` of sentence-transformers: nothing to do where the tokenizer does it anyway, refused elsewhere."""
    if not path.exists() or not read_json_object(path).get("do_lower_case"):
        return
    if files.tokenizer_json:
        normalizer = normalizer_that_runs(read_json_object(files.tokenizer_json).get("normalizer"), files.settings)
    else:
        normalizer = bert_normalizer(files.settings)
    if not isinstance(normalizer, dict) or normalizer.get("lowercase") is not True:
        raise CheckpointError(
            f"{path}: expected do_lower_case false for a tokenizer that keeps capital letters, found true. Set it in "
            "the tokenizer instead (do_lower_case in tokenizer_config.json, normalizer.lowercase in tokenizer.json)."
        )


def _refuse_adapter(encoder: Path) -> None:
    path = encoder / "adapter_config.json"
    if path.exists():
        raise ArchitectureError(
            f"{path}: expected a whole model, found an adapter (PEFT) for one. Merge the two with "
            "peft's merge_and_unload() and save the result."
        )
