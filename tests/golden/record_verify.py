"""Record what `gtekit verify` compares with:  python -m tests.golden.record_verify

Run it from the root of the repository where torch and transformers are installed, once, and again only when
GOLDEN_CONFIG or TEXTS change. Each text runs alone, in float32, with the plain attention of transformers.
"""

import json
import platform
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import transformers

from gtekit.checkpoint import load_checkpoint
from gtekit.verify.golden import GOLDEN_FILE, write_golden_checkpoint
from gtekit.verify.kernels import TEXTS

MORE_TEXTS = (
    "naïve café ﬁancé Straße",
    "北京是中国的首都",
    "\u0434\u043e\u0431\u0440\u044b\u0439 \u0434\u0435\u043d\u044c",
    "🎉 a party 👩‍👩‍👧 for all",
    "tab\tand\u0000nul and\u200bzero width\u00a0space",
    "".join(chr(ord("a") + number % 26) for number in range(150)),  # one word, too long for WordPiece
    " ".join(["sorting", "algorithms"] * 400),  # longer than the model reads
)


def main() -> None:
    texts = [*TEXTS, *MORE_TEXTS]
    with TemporaryDirectory() as scratch:
        folder = write_golden_checkpoint(Path(scratch) / "golden")
        fingerprint = load_checkpoint(folder).fingerprint
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        embeddings = []
        for text in texts:
            batch = tokenizer([text], max_length=512, truncation=True, return_tensors="pt")
            with torch.inference_mode():
                mean = model(**batch).last_hidden_state[0].mean(dim=0)
            embeddings.append((mean / mean.norm()).tolist())
    golden = {
        "command": "python -m tests.golden.record_verify",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "machine": platform.machine(),
        "fingerprint": fingerprint,
        "texts": texts,
        "embeddings": [[float(f"{number:.9g}") for number in row] for row in embeddings],
    }
    GOLDEN_FILE.write_text(json.dumps(golden, ensure_ascii=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
