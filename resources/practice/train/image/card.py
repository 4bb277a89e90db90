"""Writes rubato.json, the card beside model_index.json: what the model is, what it cannot do, default settings, prompts
that work, every word it knows (in lower case), and checksums.

usage: card.py MODEL_FOLDER
"""
import hashlib
import json
import pathlib
import re
import sys

import words
from evaluate import SHEET_PROMPTS
from scenes import scenes

DEFAULTS = {"size": "256x256", "steps": 28, "guidance": 3.0, "negative_prompt": "", "max_sequence_length": 32}
DESCRIPTION = (
    "A tiny text-to-image model for practice: 15 million parameters, trained from scratch on drawn pictures of coloured shapes, so "
    "that a studio can be tried on a CPU before any large model is there. It knows nothing of the real world."
)
LIMITS = [
    "It draws one to four of eight shapes in twelve colours on six kinds of background, and a few whole scenes (house, tree, boat, city).",
    "Of 300 test prompts with colour-shape pairs that it never saw, 93 % came out right as a whole; of 200 with pairs that it knew, 97 %.",
    "It counts worst: two or three equal objects are sometimes one too many.",
    "Textures and the edges of large shapes are a little rough.",
    "At 512x512 edges are rougher, and there may be an object too many or too few; sizes between were not trained.",
    "Prompts are cut after 32 tokens (about 25 words); words it does not know mean nothing to it.",
]
CAPTIONS = 20000  # enough to hold every word of the grammar


def unique(items):
    return list(dict.fromkeys(items))


def said(word):
    return unique(words.SYNONYMS.get(word, [word]))


def grammar():
    """Slots of a sentence that the model understands, in order, and the words for each."""
    grounds = [f"on a {colour} background" for colour in words.NAMES if colour != "orange"] + ["on an orange background"]
    grounds += ["in the night sky", "over the sea", "over green hills", "in front of a brick wall"]
    return {
        "pattern": "a {size} {texture} {color} {shape} {place} {background}",
        "slots": {
            "size": [w for size in words.SIZES for w in said(size)],
            "texture": [w for texture in words.TEXTURES for w in said(texture)],
            "color": [w for colour in words.NAMES for w in said(colour)],
            "shape": [w for shape in words.SHAPES for w in said(shape)],
            "place": list(words.REGIONS),
            "background": grounds,
        },
    }


def known_words():
    return sorted({w for s in scenes(CAPTIONS, 1) for w in re.findall("[a-z]+", s.caption.lower())})


def checksums(folder):
    """SHA-256 of every file of the pipeline; the card itself and the README are not part of it."""
    kinds = (".json", ".safetensors", ".model", ".txt")
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in kinds and p.name != "rubato.json")
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def main():
    folder = pathlib.Path(sys.argv[1])
    card = {
        "version": 1,
        "name": "practice-image",
        "title": "Practice image",
        "practice": True,
        "description": DESCRIPTION,
        "limits": LIMITS,
        "defaults": DEFAULTS,
        "prompts": SHEET_PROMPTS[:20],
        "grammar": grammar(),
        "words": known_words(),
        "checksums": checksums(folder),
    }
    (folder / "rubato.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
