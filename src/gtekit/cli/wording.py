"""Messages of the library, which name Python's arguments, in the words of the command line: flags with dashes."""

import re

OPTIONS = (
    "abstain_below",
    "backend",
    "batch_rows",
    "batch_size",
    "batch_tokens",
    "block_rows",
    "c",
    "class_weight",
    "clusters",
    "criterion",
    "dimensions",
    "diversity",
    "encoding",
    "folds",
    "id_field",
    "isa",
    "key_variable",
    "least_accuracy",
    "least_coverage",
    "max_characters",
    "max_tokens",
    "measure",
    "method",
    "min_cosine",
    "min_size",
    "mode",
    "on_truncation",
    "overlap_tokens",
    "parallel",
    "passage_tokens",
    "precision",
    "prior",
    "prompt",
    "prompt_name",
    "revision",
    "seed",
    "sentences",
    "temperature",
    "template",
    "text_weight",
    "threads",
    "threshold",
    "timeout_s",
    "tokens",
    "top_k",
    "where",
)
PHRASES = (
    ("truncation_report(texts) says where the cuts fall", "gtekit inspect shows where a cut falls"),
    (" encode_chunks(texts) gives a vector per piece,", ""),
    ("load(..., language_warning=False)", "--no-language-warning"),
    ("--partial-data (is_partial=True)", "--partial-data"),
    ("local_files_only was asked for", "--local-files-only was asked for"),
)
TEXT = r"'[^']*'|\"[^\"]*\""
CALLS = (
    (rf"gtekit\.index\.open\((?:{TEXT}), model=gtekit\.load\(({TEXT})\)\)", r"-m \1"),
    (rf"Open it \(gtekit\.index\.open\((?:{TEXT})\), or create\(\.\.\., exist_ok=True\)\)", "Bring it up to date"),
    (rf"gtekit\.index\.create\(({TEXT}), model\)", r"gtekit index build FILES -o \1"),
    (r"gtekit\.index\.create\(\.\.\.\), or gtekit index build", "gtekit index build"),
    (r"Numbers: see versions\(\);", "gtekit index versions lists their numbers;"),
)
ARGUMENT = re.compile(rf"(?<![\w-])({'|'.join(OPTIONS)})=('[^']*'|\"[^\"]*\"|[\w.+-]*\w)")
QUOTE = '"'
PLACE = re.compile(r"\btexts\[\d+\]")


def in_flags(message: str) -> str:
    """Say `--on-truncation chunk` where the library says `on_truncation="chunk"`, and so on."""
    for phrase, words in PHRASES:
        message = message.replace(phrase, words)
    for call, words in CALLS:
        message = re.sub(call, words, message)
    message = re.sub(r" The longest is texts\[\d+\] with", " The longest has", message)
    message = re.sub(r" \(texts\[\d+\]\)", "", message)
    message = re.sub(r"\(texts\[\d+\]: ", "(", message)
    message = PLACE.sub("a text", message)
    return ARGUMENT.sub(_flag, message)


def _flag(found: re.Match[str]) -> str:
    name, value = found.groups()
    return f"--{name.replace('_', '-')} {value.strip(QUOTE)}"
