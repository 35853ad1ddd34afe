"""The texts of the golden files: the same on every machine, from hand-written lists and small generators.

everyday()   sentences, questions and the inputs of the model's page
technical()  code, numbers, URLs, JSON, markup
languages()  accents, CJK, right-to-left, scripts that an English vocabulary hardly covers
awkward()    empty, white space, control characters, emoji, words of 10,000 characters
long()       from 100 words to far beyond 512 tokens, and every token count around the cut
"""

import hashlib
import json
from collections.abc import Iterator

PAGE = [
    "what is the capital of China?",
    "how to implement quick sort in python?",
    "Beijing",
    "sorting algorithms",
    "That is a happy person",
    "That is a very happy person",
]

SUBJECTS = ["The old river", "A tired engineer", "My neighbour's dog", "Every student", "The central bank", "Nobody"]
VERBS = ["follows", "never understood", "paid for", "quietly repaired", "compares", "forgot about"]
OBJECTS = [
    "the bridge behind the market.",
    "three theories of memory!",
    "an algorithm that sorts names in linear time",
    "rising interest rates; prices fell anyway.",
    "a bowl of soup and two slices of bread",
    "what the committee had decided on Tuesday?",
]

_WORDS = (
    "time people water light house city music number paper school story family market engine window garden "
    "history science language memory system sorting python capital river mountain winter summer bread energy "
    "question answer search document vector meaning sentence small large fast slow early late red green blue "
    "the of and to in is that it was for on are as with they be at one have this from or had by but not what "
    "all were when we there can an your which their said if do will each about how up out them then she many "
    "unbelievable internationalization antidisestablishmentarianism tokenization embeddings transformers"
)
WORDS = _WORDS.split()

CODE = [
    "def quicksort(a): return a if len(a) < 2 else quicksort([x for x in a[1:] if x < a[0]]) + [a[0]]",
    "for (int i = 0; i < n; ++i) { sum += x[i] * w[i]; }  // dot product",
    "SELECT name, COUNT(*) FROM users WHERE age >= 21 GROUP BY name ORDER BY 2 DESC;",
    '{"id": 17, "tags": ["a", "b"], "ratio": 0.25, "nested": {"ok": true, "none": null}}',
    "<div class='row'><a href=\"https://example.org/?q=1&r=2#top\">link</a></div>",
    "#include <vector>\nint main() {\n\treturn std::vector<int>{1, 2, 3}.size();\n}\n",
    "curl -sS https://example.org/api/v1/items?limit=100 | jq '.[] | .name' > /tmp/names.txt",
    'fn main() { println!("{:>8.3}", std::f64::consts::PI); }',
    "git rebase --interactive HEAD~3 && git push --force-with-lease",
    "lambda x: (x ** 2) % 7 if x != 0 else None",
]

NUMBERS = [
    "0",
    "42",
    "3.141592653589793",
    "-1e-12",
    "1,234,567.89",
    "0x7fff_ffff",
    "2026-11-23T06:27:14Z",
    "+44 (0)20 7946 0958",
    "50% of $1.5bn is €0.75bn",
    "1st 2nd 3rd 4th 11th",
    "192.168.0.1:8080",
    "½ + ¼ = ¾, x² + y² = z²",
    "E = mc^2; a^2 + b^2 = c^2",
    "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
    "٣٫١٤ and ४२ and ４２",
]

LANGUAGES = [
    "Café déjà vu: naïve façade, élève, Noël, cœur",
    "Cafe\u0301 de\u0301ja\u0300 vu: nai\u0308ve fac\u0327ade",
    "Ångström, Åse, Øresund, smörgåsbord",
    "Straße, Übermut, Größe, ÄÖÜ äöü ẞ",
    "¿Dónde está la niña? ¡Mañana por la mañana!",
    "Příliš žluťoučký kůň úpěl ďábelské ódy",
    "Zażółć gęślą jaźń",
    "İstanbul'da ılık bir gün, ŞİŞLİ",
    "Tiếng Việt có nhiều dấu: ầ ẩ ẫ ấ ậ",
    "Lietuviškai: ąčęėįšųūž",
    "北京是中国的首都。",
    "如何用Python实现快速排序？",
    "機器學習與自然語言處理",
    "東京は日本の首都です。カタカナとひらがな",
    "ｱｲｳｴｵ ｶﾞｷﾞ half-width and ＦＵＬＬ width",
    "서울은 대한민국의 수도이다.",
    "\u1112\u1161\u11ab\u1100\u1173\u11af decomposed Hangul",
    "𠀀𠀁𠮷 rare ideographs outside the first plane",
    "مرحبا بالعالم، كيف حالك؟",
    "العَرَبِيَّةُ مُشَكَّلَةٌ",
    "שלום עולם, מה שלומך?",
    "שָׁלוֹם with points",
    "mixed עברית and English and عربى in one line",
    "\u202bright to left\u202c embedding marks \u200f\u200e",
    "Москва — столица России; ёлка, Йод",
    "Київ, Ґанок, їжак",
    "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας ΌΣΟΣ",
    "हिन्दी में एक वाक्य क्षत्रिय",
    "தமிழ் மொழி",
    "ภาษาไทยไม่มีการเว้นวรรคระหว่างคำ",
    "ქართული ენა, ᲥᲐᲠᲗᲣᲚᲘ",
    "Հայերեն լեզու",
    "አማርኛ ቋንቋ",
    "ខ្មែរ and ລາວ and မြန်မာ",
    "ᏣᎳᎩ ꭰꭱ 𐐀𐐨 𞤀𞤢",
]

EMOJI = [
    "😀",
    "I love it 😍😍😍!!!",
    "👩‍💻 codes, 👨‍👩‍👧‍👦 family, 🏳️‍🌈 flag",
    "👍🏽 thumbs 👋🏿 waves",
    "🇩🇪🇫🇷🇯🇵",
    "1️⃣ 2️⃣ #️⃣ keycaps ☎️ ☎︎",
    "🫠🪿🩷 newer than the vocabulary",
    "¯\\_(ツ)_/¯ (╯°□°)╯︵ ┻━┻",
    "☃ ♥ ♫ ✓ ✗ → ⇒ ∀ ∃ ∑ ∫ √ ∞ ≠ ≤",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝒔𝒄𝒓𝒊𝒑𝒕 Ⓒⓘⓡⓒⓛⓔ ﬁ ﬂ ﬃ ㎏ ㋿",
]

AWKWARD = [
    "",
    " ",
    "    ",
    "\t",
    "\n",
    "\r\n\r\n",
    "\u00a0",
    "\u3000\u2003\u2009",
    "\u200b",
    "\u200b\u200c\u200d\ufeff",
    "\ufeffbyte order mark",
    "soft\u00adhyphen",
    "\u0000",
    "null\u0000inside",
    "\u0001\u0002\u0007\u0008\u000b\u000c\u000e\u001b\u001f\u007f",
    "bell\u0007escape\u001b[31mred\u001b[0m",
    "\u0080\u0085\u009f next line",
    "line\u2028separator\u2029paragraph",
    "\ufffd replacement \ufffe\uffff",
    "\ue000\uf8ff private use \U000f0000",
    "\u0301",
    "e" + "\u0301" * 50,
    "Z\u0351\u036b\u0343\u036a\u0302a\u0320\u0331l\u034fg\u031bo\u0321",
    "tabs\tand\nnewlines\r\nand   spaces",
    "  leading and trailing  ",
    "word",
    "Word",
    "WORD",
    "wOrD",
    ".",
    "...",
    "!?!?!?",
    "' \" ` ´ ‘ ’ “ ” « »",
    "- – — ― _ __ ~",
    "[CLS]",
    "[SEP] [PAD] [MASK] [UNK]",
    "before [SEP] after [CLS] end [MASK].",
    "[cls] [ sep ] ##ing ## #ing",
    "don't can't won't I'm you're it's",
    "state-of-the-art e-mail co-operate",
    "user@example.org #hashtag @mention",
    "a" * 99,
    "a" * 100,
    "a" * 101,
    "a" * 10_000,
    "pneumono" * 1_250,
    "é" * 10_000,
    "北" * 700,
    "😀" * 300,
    "!" * 600,
    "a " * 400,
    "\u200b" * 2_000,
    "x" * 10_000 + " and a word after it",
    "and words before " + "y" * 10_000,
]


def everyday() -> list[str]:
    sentences = [
        f"{subject} {verb} {OBJECTS[(i + j) % 6]}" for i, subject in enumerate(SUBJECTS) for j, verb in enumerate(VERBS)
    ]
    questions = [f"{how} {what}?" for how in ("what is", "how to", "why does", "who needs") for what in WORDS[:20]]
    return PAGE + sentences + questions


def technical() -> list[str]:
    return CODE + NUMBERS


def languages() -> list[str]:
    return LANGUAGES + EMOJI


def awkward() -> list[str]:
    return list(AWKWARD)


def long() -> list[str]:
    paragraphs = [paragraph(words, seed=words) for words in (100, 150, 200, 250, 300, 400, 500, 700, 1_000, 5_000)]
    at_the_cut = ["the " * (tokens - 2) for tokens in (127, 128, 129, 254, 255, 256, 257, 258, 510, 511, 512, 513, 514)]
    return paragraphs + at_the_cut


def paragraph(words: int, *, seed: int) -> str:
    """So many words from WORDS in sentences of 5 to 20, chosen by a small linear congruential generator."""
    chosen: list[str] = []
    draws = lcg(seed)
    until_stop = 5 + next(draws) % 16
    for draw in (next(draws) for _ in range(words)):
        word = WORDS[draw % len(WORDS)]
        until_stop -= 1
        chosen.append(word + "." if until_stop == 0 else word)
        until_stop = until_stop or 5 + draw % 16
    return " ".join(chosen)


def lcg(seed: int) -> Iterator[int]:
    """Numbers of 31 bits, the same on every machine (Knuth's MMIX multiplier, high bits)."""
    state = seed
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield state >> 33


def mixed() -> list[str]:
    """Hundreds of texts of 1 to 60 words, so that every length of a short text is there."""
    return [paragraph(1 + i % 60, seed=1_000 + i) for i in range(150)]


def all_texts() -> list[str]:
    return everyday() + technical() + languages() + awkward() + mixed() + long()


def few_texts() -> list[str]:
    """Two dozen of every kind, some 1,500 tokens: for models where a token costs more."""
    chosen = PAGE + CODE[:2] + NUMBERS[:2] + LANGUAGES[:1] + LANGUAGES[10:12] + LANGUAGES[20:21] + EMOJI[1:3]
    return [*chosen, "", " ", "\u0000", "a" * 10_000, paragraph(60, seed=7), paragraph(150, seed=8), "the " * 600]


def texts_hash(texts: list[str]) -> str:
    """Sha256 over the texts: a golden file is only held against the texts it was made from."""
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()
