"""A made-up vocabulary in the layout of bert-base-uncased, the same on every machine."""

from itertools import product

SIZE = 30_522  # of bert-base-uncased, and so of the GTE models
SMALLEST = 256
SPECIAL_TOKENS = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103}

WORDS = """
the of and to in a is was for it with as his on be at by i this had not are but from or have an they which one you were
all her she there would their we him been has when who will no more if out so up said what its about than into them can
only other time new some could these two may first then do any like my now over such our man me even most made after
also did many off before must well back through years much where your way down should because long each just state those
people too mr how little us world still see own good life day very between work here great under since take come small
house found use again home place think say part last going got right against high school number away always another
large old fact until water put system night end called point does hand head set general far give number once course
quick sort python sorting algorithm algorithms implement capital china beijing weather sunny today stadium food
search engine text vector model language learning machine data program function class method string list value return
error file read write open close name type object module number true false none key index code test run build fast slow
red green blue black white yellow king queen city country river mountain island ocean sea fish bird cat dog horse tree
flower grass bread milk butter apple orange lemon sugar salt coffee tea wine beer dinner lunch music song dance book
letter word sentence page paper pen story film play game team win lose money price market bank trade tax law court
police army war peace doctor nurse hospital health body heart blood eye ear nose mouth arm leg foot skin bone brain
mother father brother sister son daughter child woman friend love hate fear hope dream sleep wake walk jump swim fly
drive car train plane ship road street bridge door window wall floor roof garden kitchen table chair bed lamp clock
year month week hour minute second morning evening spring summer autumn winter sun moon star earth fire wind rain snow
ice stone gold silver iron wood glass cloth wool cotton north south east west left top bottom inside outside question
answer problem idea reason cause effect change growth force energy light sound heat speed weight length size shape
science history art culture religion church god spirit mind soul nature animal plant cell gene atom planet space
"""
ENDINGS = "s ed ing er est ly ness ment tion able ful less ize ity al ic ous ive y en es th st nd rd"
OTHER_SCRIPTS = (
    (0x00DF, 0x0100),  # Latin letters with and without accents
    (0x03B1, 0x03CA),  # Greek
    (0x0430, 0x0450),  # Cyrillic
    (0x05D0, 0x05EB),  # Hebrew
    (0x0621, 0x063B),  # Arabic
    (0x0905, 0x093A),  # Devanagari
    (0x3042, 0x3094),  # Hiragana
    (0x4E00, 0x4E80),  # a few Chinese characters
    (0x2010, 0x2028),  # punctuation, without the separators and controls that follow
    (0x2030, 0x2038),
)
ONSETS = "b c d f g h j k l m n p qu r s t v w z br ch cr dr fl gr pl sh sl st th tr"
VOWELS = "a e i o u ai ea ou"
CODAS = " n r s t l m nd ck st"  # the first is empty: an open syllable


def seeded_vocabulary(size: int = SIZE) -> list[str]:
    """Tokens by id: special ones where BERT has them, characters, English words, endings, then made-up syllables.

    Every printable ASCII character has an entry on its own and as a continuation, so that no ASCII text is unknown.
    """
    if size < SMALLEST:
        raise ValueError(f"expected a vocabulary of at least {SMALLEST} tokens, found {size}.")
    special = {position: token for token, position in SPECIAL_TOKENS.items()}
    tokens = [special.get(position) or f"[unused{position - 1}]" for position in range(len(special) + 99)]
    seen = set(tokens)
    for token in _tokens():
        if len(tokens) == size:
            break
        if token not in seen:
            seen.add(token)
            tokens.append(token)
    return tokens


def _tokens() -> list[str]:
    ascii_characters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    letters = [character for character in ascii_characters if character.isalnum()]
    tokens = ascii_characters + [f"##{letter}" for letter in letters]
    tokens += WORDS.split() + [f"##{ending}" for ending in ENDINGS.split()]
    others = [chr(code) for first, last in OTHER_SCRIPTS for code in range(first, last)]
    tokens += [character for character in others if character == character.lower()]
    syllables = ["".join(parts) for parts in product(ONSETS.split(), VOWELS.split(), CODAS.split(" "))]
    tokens += [f"##{syllable}" for syllable in syllables] + syllables
    tokens += [first + second for first, second in product(syllables[::7], syllables[::11])]
    return tokens
