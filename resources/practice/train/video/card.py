"""Writes rubato.json, the card that Rubato reads beside model_index.json: what the model is, what it cannot do, default
settings, prompts that work, every word it knows (in lower case), and checksums. A `preview` that preview.py stored is kept.

usage: card.py MODEL_FOLDER
"""
import hashlib
import json
import pathlib
import sys

import words

DEFAULTS = {"size": "128x128", "frames": 65, "fps": 16, "steps": 30, "guidance": 3.5, "negative_prompt": "", "max_sequence_length": 32}

# What the clips of the training set were; Rubato warns of anything else.
TRAINED = {"sizes": ["128x128"], "frames": [33, 65]}

DESCRIPTION = (
    "A tiny text-to-video model for practice: 20 million parameters, trained from scratch on procedurally drawn clips of coloured "
    "shapes, so that the whole studio can be tried on a CPU before any large model is there. It knows nothing of the real world."
)
LIMITS = [
    "It draws one or two of seven shapes in eight colours on eight simple backgrounds, and nothing else.",
    "Of 326 test prompts with one object 99 % came out right as a whole (colour, shape, size, motion, tempo, background).",
    "With two objects 85 % of 154 test prompts were right as a whole; in the others one object was missing, a copy of the other, or moved wrongly.",
    "Only 128x128 pixels with 65 or 33 frames were trained; other sizes and lengths run, and look worse.",
    "Small shapes have soft corners, and fast objects leave faint ghosts.",
    "Prompts are cut after 32 tokens (about 30 words); words it does not know are read letter by letter and mean nothing to it. Write in lower case.",
]
PROMPTS = [
    "a big orange cross falls, then stops on a grey wall",
    "a small cyan ring circles around in a forest",
    "a big yellow heart grows at sunset",
    "a small red square waits, then moves left by the sea",
    "a big red star waits, then shrinks on a checkered floor",
    "a small purple triangle bounces on sand",
    "a big blue circle moves right at night",
    "a small white star rises over the sea",
    "a big blue square bounces while a green star stays still, on sand",
    "a small green heart rises while a big white circle does not move, at night",
]


def unique(items):
    return list(dict.fromkeys(items))


def grammar():
    """Slots of a sentence that the model understands, in order, and the words for each."""
    moves = [form[0] for forms in words.MOTION_WORDS.values() for form in forms]
    return {
        "pattern": "a {size} {color} {shape} {motion} {background}",
        "slots": {
            "size": unique(w for ws in words.SIZE_WORDS.values() for w in ws),
            "color": list(words.COLORS),
            "shape": unique(w for s in words.SHAPES for w in words.SHAPE_WORDS[s]),
            "motion": moves + [w[0] for w in words.STILL_WORDS],
            "background": [p for phrases, _ in words.BACKGROUND_WORDS.values() for p in phrases],
        },
        "before_motion": ["waits, then"],
        "after_motion": [", then stops"],
    }


def known_words(folder):
    """Every word that is a piece of the tokenizer, and so was in a caption, in lower case; all others mean nothing to the model."""
    vocabulary = json.loads((folder / "tokenizer/tokenizer.json").read_text())["model"]["vocab"]
    return sorted({piece[1:].lower() for piece, _ in vocabulary if piece.startswith("▁") and piece[1:].isalpha()})


def checksums(folder):
    """SHA-256 of every file of the pipeline; the card itself and the README are not part of it."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in (".json", ".safetensors", ".model") and p.name != "rubato.json")
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def write(folder):
    card_file = folder / "rubato.json"
    old = json.loads(card_file.read_text()) if card_file.exists() else {}
    card = {
        "version": 1,
        "name": "practice-video",
        "title": "Practice video",
        "practice": True,
        "description": DESCRIPTION,
        "limits": LIMITS,
        "defaults": DEFAULTS,
        "prompts": PROMPTS,
        "grammar": grammar(),
        "words": known_words(folder),
        "trained": TRAINED,
    }
    if "preview" in old:
        card["preview"] = old["preview"]
    card["checksums"] = checksums(folder)
    card_file.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")


def main():
    write(pathlib.Path(sys.argv[1]))


if __name__ == "__main__":
    main()
