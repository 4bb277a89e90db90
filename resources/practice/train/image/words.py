"""The words of the captions' grammar, and what they stand for."""

SHAPES = ["circle", "square", "triangle", "star", "ring", "heart", "cross", "moon"]
COLOURS = {
    "red": (0.86, 0.13, 0.13),
    "orange": (0.96, 0.55, 0.10),
    "yellow": (0.97, 0.87, 0.16),
    "green": (0.15, 0.62, 0.22),
    "cyan": (0.20, 0.80, 0.85),
    "blue": (0.14, 0.30, 0.85),
    "purple": (0.52, 0.18, 0.68),
    "pink": (0.97, 0.55, 0.74),
    "brown": (0.48, 0.29, 0.14),
    "black": (0.07, 0.07, 0.08),
    "white": (0.97, 0.97, 0.96),
    "gray": (0.54, 0.55, 0.57),
}
NAMES = list(COLOURS)
SIZES = ["small", "medium", "large"]
TEXTURES = ["plain", "striped", "dotted", "checkered"]
BACKGROUNDS = ["plain", "gradient", "night", "sea", "hills", "brick"]
# Pairs that no training picture and no training caption holds.
HELD_OUT = {
    ("brown", "heart"), ("gray", "star"), ("pink", "square"), ("cyan", "cross"),
    ("purple", "triangle"), ("orange", "ring"), ("black", "moon"), ("white", "circle"),
}  # fmt: skip
OBJECT_KINDS = {"one": 23, "pair": 24, "three": 8, "four": 6, "count": 11, "group": 5, "mirror": 5, "border": 6}
SCENE_KINDS = {"house": 4, "tree": 3, "boat": 3, "city": 2}
KINDS = {**OBJECT_KINDS, **SCENE_KINDS}  # how often
REGIONS = {
    "in the top left corner": (0.22, 0.22),
    "in the top right corner": (0.78, 0.22),
    "in the bottom left corner": (0.22, 0.78),
    "in the bottom right corner": (0.78, 0.78),
    "in the middle": (0.5, 0.5),
    "in the center": (0.5, 0.5),
    "on the left": (0.22, 0.5),
    "on the right": (0.78, 0.5),
    "at the top": (0.5, 0.22),
    "at the bottom": (0.5, 0.78),
}
RADIUS = {1: (0.10, 0.17, 0.27), 2: (0.085, 0.13, 0.19), 3: (0.07, 0.10, 0.135), 4: (0.07, 0.10, 0.135)}  # by number of objects, of each size
SYNONYMS = {  # as often as they stand here
    "circle": ["circle"] * 4 + ["disc"],
    "square": ["square"] * 4 + ["box"],
    "moon": ["moon"] * 3 + ["crescent"],
    "ring": ["ring"] * 4 + ["donut"],
    "cross": ["cross"] * 4 + ["plus sign"],
    "small": ["small"] * 3 + ["little", "tiny"],
    "large": ["large"] * 3 + ["big", "huge"],
    "purple": ["purple"] * 5 + ["violet"],
    "gray": ["gray"] * 3 + ["grey"],
    "dotted": ["dotted"] * 3 + ["spotted"],
    "checkered": ["checkered"] * 4 + ["checked"],
}
TEXTURE_TAILS = {"striped": " with stripes", "dotted": " with dots", "checkered": " with checks"}
NUMBERS = {2: "two", 3: "three", 4: "four"}
LAYOUT_PHRASES = {
    "row": [" in a row", " side by side"],
    "column": [" in a column", " one above the other"],
    "scattered": ["", " scattered"],
    "corners": [" in the four corners"],
}


def say(rng, word):
    return rng.choice(SYNONYMS[word]) if word in SYNONYMS else word


def plural(word):
    return word + "es" if word.endswith(("x", "cross")) else word + "s"


def article(phrase):
    return ("an " if phrase[0] in "aeiou" else "a ") + phrase
