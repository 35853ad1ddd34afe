"""Arguments of the original that gtekit has no use for: defaults pass, other values are errors with a way out."""

from collections.abc import Mapping, Sequence

from gtekit.errors import ArgumentError

ORIGINAL = "or use sentence-transformers itself for this"

# name: (the values that change nothing, what to do instead)
_CONSTRUCTOR: Mapping[str, tuple[tuple[object, ...], str]] = {
    "modules": (
        (None,),
        f"gtekit runs checkpoints, not torch modules: give a model name or a folder, {ORIGINAL}.",
    ),
    "backend": (("torch",), "gtekit has one engine, its own: leave backend out."),
    "trust_remote_code": ((False,), "gtekit never runs code that comes with a model: leave trust_remote_code out."),
    "model_kwargs": ((None, {}), "there is no torch model to configure; gtekit computes in float32: leave it out."),
    "processor_kwargs": ((None, {}), "the tokenizer is the model's own; for another length set model.max_seq_length."),
    "tokenizer_kwargs": ((None, {}), "the tokenizer is the model's own; for another length set model.max_seq_length."),
    "config_kwargs": ((None, {}), "the configuration is the model's own: leave it out."),
    "model_card_data": ((None,), f"gtekit does not train or publish models: leave it out, {ORIGINAL}."),
    "use_auth_token": ((None,), "its name is token now."),
}


def refuse_constructor_arguments(arguments: Mapping[str, object]) -> None:
    """Check the arguments of SentenceTransformer(...) that gtekit does not use.

    Raises:
        ArgumentError: If one has a value that would have to change something.
        TypeError: If one is no argument of the original either.
    """
    for name, value in arguments.items():
        if name not in _CONSTRUCTOR:
            raise TypeError(f"SentenceTransformer() got an unexpected keyword argument {name!r}.")
        harmless, advice = _CONSTRUCTOR[name]
        if value not in harmless:
            raise ArgumentError(f"SentenceTransformer({name}={value!r}): {advice}")


def check_cpu(device: object) -> None:
    """Check that a device, or each of a list of devices, is the CPU or left open.

    Raises:
        ArgumentError: If it is another.
    """
    devices = device if isinstance(device, Sequence) and not isinstance(device, str) else [device]
    for one in devices:
        if one is not None and str(one).split(":")[0] != "cpu":  # "cpu", "cpu:0", torch.device("cpu")
            raise ArgumentError(f"device={str(one)!r}: gtekit runs on CPUs. Leave device out, {ORIGINAL}.")


def check_dimension(truncate_dim: int | None) -> int | None:
    """Check how many numbers of a vector to keep.

    Raises:
        ArgumentError: If it is less than 1.
    """
    if truncate_dim is not None and truncate_dim < 1:
        raise ArgumentError(f"truncate_dim={truncate_dim} must be 1 or more, or None for whole vectors.")
    return truncate_dim


def resolve_token(token: bool | str | None) -> str | None:
    """Give the hub token to send; True and None mean the one that is stored on this machine.

    Raises:
        ArgumentError: If it is False.
    """
    if token is False:
        raise ArgumentError("token=False: to send no token, set HF_HUB_DISABLE_IMPLICIT_TOKEN=1, and leave token out.")
    return None if token is True else token
