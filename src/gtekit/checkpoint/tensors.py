"""The tensors that a BERT encoder must have: the one table that every weights file is checked against.

Names are those of transformers' BertModel, without a prefix. A shape is written in the letters of gtekit.arrays:
D hidden size, F feed-forward size, V vocabulary; here also P positions and T token types. All weights of linear
layers are (outputs, inputs).
"""

from gtekit.config import ModelConfig

EMBEDDINGS = {
    "embeddings.word_embeddings.weight": "VD",
    "embeddings.position_embeddings.weight": "PD",
    "embeddings.token_type_embeddings.weight": "TD",
    "embeddings.LayerNorm.weight": "D",
    "embeddings.LayerNorm.bias": "D",
}
LAYER = {
    "attention.self.query.weight": "DD",
    "attention.self.query.bias": "D",
    "attention.self.key.weight": "DD",
    "attention.self.key.bias": "D",
    "attention.self.value.weight": "DD",
    "attention.self.value.bias": "D",
    "attention.output.dense.weight": "DD",
    "attention.output.dense.bias": "D",
    "attention.output.LayerNorm.weight": "D",
    "attention.output.LayerNorm.bias": "D",
    "intermediate.dense.weight": "FD",
    "intermediate.dense.bias": "F",
    "output.dense.weight": "DF",
    "output.dense.bias": "D",
    "output.LayerNorm.weight": "D",
    "output.LayerNorm.bias": "D",
}

# What stands before the names, by who saved the file: BertModel; BertForMaskedLM and its siblings;
# a wrapper module that calls its encoder `model`; a sentence-transformers model saved as one module.
PREFIXES = ("", "bert.", "model.", "0.auto_model.")

# TensorFlow's words for the two parameters of a LayerNorm, still found in old conversions.
OLD_NAMES = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}


def expected_tensors(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor that the encoder uses, in the order of the forward pass."""
    sizes = {
        "D": config.hidden_size,
        "F": config.intermediate_size,
        "V": config.vocab_size,
        "P": config.max_position_embeddings,
        "T": config.type_vocab_size,
    }
    letters = dict(EMBEDDINGS)
    for layer in range(config.num_hidden_layers):
        letters |= {f"encoder.layer.{layer}.{name}": shape for name, shape in LAYER.items()}
    return {name: tuple(sizes[letter] for letter in shape) for name, shape in letters.items()}


def old_name(name: str) -> str | None:
    """The TensorFlow-style name of a LayerNorm parameter; None for every other tensor."""
    for new, old in OLD_NAMES.items():
        if name.endswith(new):
            return name.removesuffix(new) + old
    return None
