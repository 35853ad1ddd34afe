from collections.abc import Callable, Mapping

from gtekit.arrays import Array, Floats, Ints, TokenIds

class ModelConfig:
    def __init__(
        self,
        *,
        hidden_size: int,
        num_hidden_layers: int,
        num_attention_heads: int,
        intermediate_size: int,
        vocab_size: int,
        max_position_embeddings: int,
        type_vocab_size: int,
        layer_norm_eps: float,
    ) -> None: ...

class Encoder:
    def __init__(
        self, config: ModelConfig, tensors: Mapping[str, Array], *, isa: str, precision: str, threads: int
    ) -> None: ...
    def encode(
        self,
        token_ids: TokenIds,
        cu_seqlens: Ints,
        *,
        pooling: str,
        normalize: bool,
        batch_tokens: int,
        report: Callable[[int, int], None] | None = None,
    ) -> Floats: ...
    def hidden_states(
        self,
        token_ids: TokenIds,
        cu_seqlens: Ints,
        *,
        batch_tokens: int,
        report: Callable[[int, int], None] | None = None,
    ) -> Floats: ...
    def time_parts(self, on: bool) -> None: ...
    def part_seconds(self) -> dict[str, float]: ...
    @property
    def precision(self) -> str: ...
    @property
    def isa(self) -> str: ...
    @property
    def threads(self) -> int: ...
    @property
    def weight_bytes(self) -> int: ...
    @property
    def workspace_bytes(self) -> int: ...

def find_nearest(
    queries: Array, vectors: Array, *, top_k: int, allowed: Array | None, isa: str, threads: int
) -> tuple[Floats, Ints]: ...
def find_pairs(
    vectors: Array, begin: int, end: int, *, threshold: float, most: int, isa: str, threads: int
) -> tuple[Ints, Ints, Floats] | None: ...
def sum_words(array: Array, *, threads: int) -> int: ...
def compiled_isas() -> list[str]: ...
def isas() -> list[str]: ...
def measure_ceiling(*, isa: str, precision: str, threads: int, seconds: float) -> float: ...
def cpu_features() -> dict[str, bool]: ...
