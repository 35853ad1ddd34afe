"""Text in a script that the vocabulary hardly covers is noticed, once; English and its neighbours are not."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import pytest

from gtekit.config import TokenizerFiles
from gtekit.errors import LanguageWarning
from gtekit.language import LanguageNotice
from gtekit.tokenizer import Tokenizer, load_tokenizer

STRANGE = {
    "Chinese": "如何用Python实现快速排序算法？今天天气很好，我们去公园散步。",
    "Japanese": "これは日本語の文章です。今日はとても良い天気ですね。",
    "Korean": "오늘은 날씨가 매우 좋습니다. 공원에 산책하러 갑시다.",
    "Arabic": "كيف يمكنني ترتيب القائمة في بايثون؟ الطقس جميل اليوم",
    "Hindi": "आज मौसम बहुत अच्छा है, चलो पार्क में टहलने चलते हैं।",
    "Thai": "วันนี้อากาศดีมาก ไปเดินเล่นที่สวนสาธารณะกันเถอะ",
    "Hebrew": "איך ממיינים רשימה בפייתון? מזג האוויר יפה היום",
    "Greek": "Πώς μπορώ να ταξινομήσω μια λίστα; Ο καιρός είναι καλός",
    "Russian": "Как отсортировать список? Сегодня хорошая погода",
    "emoji": "😀 😃 😄 😁 😆 😅 🤣 😂 🙂 🙃 😉 😊",
}
USUAL = {
    "English": "How do I sort a list? The “quoted” em-dash — it’s fine… • bullets © ® ™ £5 €6",
    "German": "Wie sortiere ich eine Liste? Heute ist schönes Wetter in München, viele Grüße",
    "French": "Où est la bibliothèque? Ça a été très agréable, élève",
    "Vietnamese": "Hôm nay thời tiết rất đẹp, chúng ta hãy đi dạo trong công viên",
    "Turkish": "Bugün hava çok güzel, parka yürüyüşe gidelim, ışık",
    "mathematics": "∀x∈ℝ: ⌈x⌉ = −⌊−x⌋, α ∧ ¬β = ¬(¬α ∨ β), ∑ x_i → ∞ ± ≤ ≥",
    "numbers": "1 2 3 4 5 6 7 8 9 10 ... !!! ??? ((()))",
    "a name": "The Chinese word 快速排序 means quicksort, which is a very well known sorting algorithm.",
    "a short one": "快速",
    "empty": "",
}


@pytest.fixture(scope="module")
def tokenizer(minilm_folder: str) -> Tokenizer:
    files = TokenizerFiles(tokenizer_json=Path(minilm_folder, "tokenizer.json"), vocab_txt=None)
    return load_tokenizer(files, max_tokens=512, vocab_size=30_522)


def check(notice: LanguageNotice, tokenizer: Tokenizer, texts: Sequence[str]) -> None:
    batch = tokenizer.encode(texts)
    notice.check(texts, batch.token_ids, batch.cu_seqlens)


@pytest.mark.parametrize("language", STRANGE)
def test_text_that_the_vocabulary_hardly_covers_is_noticed(tokenizer: Tokenizer, language: str) -> None:
    notice = LanguageNotice(tokenizer, "some-model")
    with pytest.warns(LanguageWarning, match=r"1 of 2 texts .* vocabulary of some-model .*texts\[1\].*switches it off"):
        check(notice, tokenizer, ["An English sentence.", STRANGE[language]])


@pytest.mark.parametrize("language", USUAL)
def test_text_that_it_covers_is_not(tokenizer: Tokenizer, language: str) -> None:
    check(LanguageNotice(tokenizer, "some-model"), tokenizer, [USUAL[language]])  # a warning would be an error here


def test_the_scripts_are_named(tokenizer: Tokenizer) -> None:
    with pytest.warns(LanguageWarning, match=r"\(texts\[0\]: Cyrillic\)"):
        check(LanguageNotice(tokenizer, "some-model"), tokenizer, [STRANGE["Russian"]])


def test_it_is_said_once_and_can_be_switched_off(tokenizer: Tokenizer) -> None:
    notice = LanguageNotice(tokenizer, "some-model")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for text in STRANGE.values():
            check(notice, tokenizer, [text])
        check(LanguageNotice(tokenizer, "some-model", enabled=False), tokenizer, [STRANGE["Russian"]])
    assert len(caught) == 1


def test_a_few_strange_lines_in_a_large_corpus_are_normal(tokenizer: Tokenizer) -> None:
    check(LanguageNotice(tokenizer, "some-model"), tokenizer, [USUAL["English"]] * 100 + [STRANGE["Russian"]])


def test_a_chinese_vocabulary_covers_chinese_and_not_russian(tmp_path: Path) -> None:
    letters = [chr(code) for code in [*range(ord("a"), ord("z") + 1), *range(0x410, 0x450)]]
    han = [chr(code) for code in range(0x4E00, 0x4E00 + 20_000)]
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters), *han]
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(tokens), encoding="utf-8")
    files = TokenizerFiles(tokenizer_json=None, vocab_txt=path)
    chinese = load_tokenizer(files, max_tokens=512, vocab_size=len(tokens))
    check(LanguageNotice(chinese, "gte-small-zh"), chinese, [STRANGE["Chinese"], "plain english words"])
    with pytest.warns(LanguageWarning, match="Cyrillic"):
        check(LanguageNotice(chinese, "gte-small-zh"), chinese, [STRANGE["Russian"]])
