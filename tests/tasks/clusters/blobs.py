"""Vectors in known groups, and texts in known subjects."""

import numpy as np

from gtekit.arrays import Floats, Ints
from gtekit.cosines import l2_normalize

SUBJECTS = {
    "billing": (
        "The invoice shows the wrong amount.",
        "Please refund the invoice that I paid twice.",
        "My last invoice was billed to the old card.",
        "Can you send the invoice for March again?",
        "Why does the invoice have two charges for one month?",
        "The tax on my invoice is not right.",
        "I was charged before the invoice was due.",
        "The refund for the cancelled invoice is still missing.",
        "Our accountant needs an invoice with the company's name.",
    ),
    "shipping": (
        "The parcel has not arrived yet.",
        "Where is my parcel? The tracking page shows nothing.",
        "The courier left the parcel with a neighbour.",
        "My parcel was damaged on the way.",
        "The parcel went to the wrong address.",
        "How long does a parcel to Norway take?",
        "The courier could not deliver the parcel, nobody was home.",
        "Half of the order is missing in the parcel.",
        "Can the parcel be delivered on Saturday?",
    ),
    "password": (
        "I forgot my password and can't log in.",
        "The link to reset the password does not work.",
        "My new password is refused at login.",
        "Somebody else changed the password of my account.",
        "The login page says that the password has expired.",
        "Can I log in without a password, with a key?",
        "Too many wrong passwords: my account is locked.",
        "The password mail never comes to my inbox.",
        "How do I change the password of a second user?",
    ),
    "cooking": (
        "Knead the bread dough for ten minutes.",
        "Bake the bread until the crust is dark.",
        "Rye bread wants a sour starter.",
        "Let the dough of the bread rise overnight.",
        "Why is my bread so dense inside?",
        "Bread flour has more gluten than cake flour.",
        "A little salt makes the bread taste of more.",
        "Steam in the oven gives bread a crisp crust.",
        "Which yeast is best for white bread?",
    ),
}


def blobs(groups: int, size: int, *, dimension: int = 16, spread: float = 0.15, seed: int = 7) -> tuple[Floats, Ints]:
    """Give normalized vectors around random directions, and the group of each; groups shrink by one row each."""
    random_numbers = np.random.default_rng(seed)
    centers = l2_normalize(random_numbers.normal(size=(groups, dimension)).astype(np.float32))
    truth = np.repeat(np.arange(groups), [size - group for group in range(groups)])
    noise = random_numbers.normal(size=(len(truth), dimension)).astype(np.float32) * np.float32(spread)
    order = random_numbers.permutation(len(truth))
    return l2_normalize(centers[truth] + noise)[order], truth[order]


def subject_texts() -> tuple[list[str], list[str]]:
    """Give 36 short texts and the subject of each, the subjects in turns."""
    rows = [
        (text, subject)
        for texts in zip(*SUBJECTS.values(), strict=True)
        for text, subject in zip(texts, SUBJECTS, strict=True)
    ]
    return [text for text, _ in rows], [subject for _, subject in rows]


def same_groups(one: Ints, two: Ints) -> bool:
    """Say whether two labellings put the same rows together."""
    pairs = set(zip(one.tolist(), two.tolist(), strict=True))
    return len(pairs) == len(set(one.tolist())) == len(set(two.tolist()))
