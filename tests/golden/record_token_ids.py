"""Record token ids with transformers: python -m tests.golden.record_token_ids MODEL_FOLDER

MODEL_FOLDER has the uncased English vocabulary of BERT, as all-MiniLM-L6-v2 and the GTE models do. The ids are kept
in token_ids.json beside this file, with what made them.
"""

import hashlib
import json
import sys
from pathlib import Path

from tests.golden.token_texts import TEXTS

FILE = Path(__file__).with_name("token_ids.json")
MAX_TOKENS = (512, 16)  # the length of GTE, and one that cuts nearly everything


def main(folder: Path) -> None:
    import tokenizers
    import transformers

    tokenizer = transformers.BertTokenizerFast.from_pretrained(str(folder))
    tokenizer.backend_tokenizer.no_padding()
    ids = {
        str(max_tokens): [tokenizer(text, truncation=True, max_length=max_tokens)["input_ids"] for text in TEXTS]
        for max_tokens in MAX_TOKENS
    }
    record = {
        "made_by": f"BertTokenizerFast of transformers {transformers.__version__}, tokenizers {tokenizers.__version__}",
        "command": "python -m tests.golden.record_token_ids MODEL_FOLDER",
        "vocab_sha256": hashlib.sha256((folder / "vocab.txt").read_bytes()).hexdigest(),
        "texts_sha256": texts_sha256(),
        "token_ids": ids,
    }
    FILE.write_text(json.dumps(record, separators=(",", ":")) + "\n", encoding="utf-8")


def texts_sha256() -> str:
    return hashlib.sha256(json.dumps(TEXTS).encode()).hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
