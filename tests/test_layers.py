"""The architecture, checked: a part imports lower parts or itself, never a neighbour, never the front door."""

import ast
from collections.abc import Iterator
from pathlib import Path

import gtekit

PACKAGE = Path(gtekit.__file__).resolve().parent

LAYERS = (  # lowest first; the same list is in ARCHITECTURE.md
    {"errors", "version"},
    {"arrays", "notices", "progress", "sentences", "threads"},
    {"_core", "config", "machine"},
    {"inputs", "protocols", "vectors", "wordpiece"},
    {"checkpoint", "files", "streaming", "tokenizer"},
    {"chunking", "cosines", "engine", "language", "truncation", "tuned"},
    {"nearest", "text_encoder"},
    {"client", "embedder"},
    {"any_model"},
    {"tasks"},
    {"documents"},
    {"index"},
    {"bench", "bulk", "demo", "doctor", "evaluation", "integrations", "sentence_transformers", "serving", "verify"},
    {"cli"},
)
DEPTH = {part: depth for depth, parts in enumerate(LAYERS) for part in parts}
OPTIONAL_PACKAGES = {  # each imported only by the files that need it
    "torch": {"sentence_transformers", "evaluation"},
    "langchain_core": {"integrations"},
    "pyarrow": {"files", "documents", "index"},
    "lancedb": {"index"},
    "pypdfium2": {"documents"},
    "selectolax": {"documents"},
    "matplotlib": {"tasks"},
    "threadpoolctl": {"tasks"},
    "huggingface_hub": {"checkpoint"},
    "scipy": {"evaluation"},
    "sklearn": {"evaluation", "tasks"},
    "pytrec_eval": {"evaluation"},
    "openai": {"evaluation"},
    "mteb": {"evaluation"},
    "datasets": {"evaluation"},
    "sentence_transformers": {"evaluation"},
    "httptools": {"serving"},
    "msgspec": {"serving"},
    "orjson": {"serving"},
    "prometheus_client": {"serving"},
    "backports": {"serving"},
    "httpx": {"client"},
}


def part_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".pyi").removesuffix(".py")


def imported_modules(file: Path) -> Iterator[str]:
    """Every module that a file imports, also inside functions and under TYPE_CHECKING."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} has a relative import; imports here are spelled out."
            if node.module == "gtekit":
                yield from (f"gtekit.{alias.name}" for alias in node.names)
            elif node.module:
                yield node.module


def imported_parts(file: Path) -> set[str]:
    modules = [module.split(".") for module in imported_modules(file)]
    return {names[1] if len(names) > 1 else "" for names in modules if names[0] == "gtekit"}


def source_files() -> list[Path]:
    return [file for file in PACKAGE.rglob("*.py*") if file.suffix in (".py", ".pyi") and part_of(file) != "__init__"]


def test_every_part_of_the_package_has_a_layer() -> None:
    parts = {part_of(file) for file in source_files()}
    assert parts - {"__main__"} == set(DEPTH), "LAYERS and the folders of the package differ."


def test_imports_point_down() -> None:
    for file in source_files():
        part = part_of(file)
        depth = DEPTH.get(part, len(LAYERS))  # __main__ sits above all
        for other in imported_parts(file) - {part}:
            assert other, f"{file} imports gtekit itself, the front door."
            assert other in DEPTH, f"{file} imports gtekit.{other}, which is no part of the package."
            assert DEPTH[other] < depth, f"{file} imports gtekit.{other}, which is not a lower layer."


def test_each_optional_package_is_imported_by_its_own_part_alone() -> None:
    for file in source_files():
        for module in imported_modules(file):
            parts = OPTIONAL_PACKAGES.get(module.split(".")[0])
            assert parts is None or part_of(file) in parts, f"{file} imports {module}; only {parts} may."


def test_no_file_is_longer_than_450_lines() -> None:
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in source_files()}
    assert not {str(file): length for file, length in lengths.items() if length > 450}
