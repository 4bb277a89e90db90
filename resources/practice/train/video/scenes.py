"""Scenes and their captions: one or two coloured shapes that move over a simple background.

A scene is a dict of words (what the caption says) and of numbers (where things are). The order of the random draws is
part of the data set: changing it changes every clip and the held-out prompts, and with them the measured results.

usage: scenes.py        prints some captions and some test prompts
"""
import math
import random

from words import (BACKGROUND_WORDS, BACKGROUNDS, COLORS, MOTION_WORDS, MOTIONS, REST_FIRST_WORDS, REST_LAST_WORDS, SHAPE_WORDS, SHAPES, SIZE_WORDS,
                   STILL_WORDS, TEMPOS)

FPS = 16
STAR_COUNT = 20
TWO_OBJECTS = 0.32  # share of the scenes of the VAE's training and of the tests
DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
PAN = {None: 0.0, "left": -0.22, "right": 0.22}
# Colour-shape pairs that never occur in training; the tests ask for them.
HELD_OUT = {("red", "star"), ("green", "heart"), ("blue", "triangle"), ("yellow", "cross"), ("purple", "ring"), ("white", "square"), ("cyan", "circle")}
# What the numbers of an object mean, in order. Lengths are in parts of the picture's side, times in parts of the clip.
NUMBERS = ["x", "y", "move_x", "move_y", "bounce_height", "bounces", "circle_x", "circle_y", "circle_phase", "radius_first", "radius_last", "move_from",
           "move_to", "eased"]


def sample_object(rng, motion=None):
    """Attributes of one object, of a colour-shape pair that training may see."""
    while True:
        color, shape = rng.choice(list(COLORS)), rng.choice(SHAPES)
        if (color, shape) not in HELD_OUT:
            break
    motion = motion or rng.choices(MOTIONS, [14, 13, 13, 11, 11, 11, 11, 8, 8])[0]
    tempo = "steady" if motion == "still" else rng.choices(TEMPOS, [40, 30, 30])[0]
    size = {"grow": "small", "shrink": "big"}.get(motion) or rng.choice(["small", "big"])
    return {"color": color, "shape": shape, "size": size, "motion": motion, "tempo": tempo}


def layout(objects, rng):
    """How two objects share the picture: in rows, or in columns where they move up and down."""
    motions = [o["motion"] for o in objects]
    if len(objects) == 1:
        return "one"
    if any(m in ("left", "right") for m in motions):
        return "rows"
    if any(m in ("up", "down", "bounce") for m in motions):
        return "columns"
    return rng.choice(["rows", "columns"])


def place_object(o, lane, arrangement, rng):
    """The numbers of one object (see NUMBERS)."""
    u, motion = rng.uniform, o["motion"]
    direction = DIRECTIONS.get(motion, (0, 0))
    distance = u(0.42, 0.56) if motion in DIRECTIONS else 0.0
    x, y = u(0.32, 0.68), u(0.32, 0.68)
    if motion in ("grow", "shrink", "circle"):
        x, y = u(0.4, 0.6), u(0.4, 0.6)
    if motion == "bounce":
        y = u(0.62, 0.74)
    if arrangement == "rows":
        y = lane + u(-0.02, 0.02) + (0.07 if motion == "bounce" else 0)
    if arrangement == "columns":
        x = lane + u(-0.02, 0.02)
    # A straight move is centred on the picture, with some jitter, so that it never leaves it.
    x0 = (0.5 + u(-0.04, 0.04) - direction[0] * distance / 2) if direction[0] else x
    y0 = (0.5 + u(-0.04, 0.04) - direction[1] * distance / 2) if direction[1] else y
    # Every value of these tables is drawn, whichever is used: the order of the draws is part of the data set.
    height = {"one": u(0.3, 0.4), "rows": 0.15, "columns": u(0.3, 0.4)}[arrangement] if motion == "bounce" else 0.0
    circle = {"one": (0.21, 0.21), "rows": (0.24, 0.08), "columns": (0.08, 0.24)}[arrangement] if motion == "circle" else (0.0, 0.0)
    small, big = u(0.085, 0.10), u(0.155, 0.175)
    first = last = small if o["size"] == "small" else big
    if motion == "grow":
        first, last = small, big * 1.08
    if motion == "shrink":
        first, last = big * 1.08, small
    if o["tempo"] == "steady":
        move_from, move_to = 0.0, 1.0
    elif o["tempo"] == "rest_then":
        move_from = u(0.45, 0.62)
        move_to = min(1.0, move_from + u(0.33, 0.45))
    else:
        move_from = 0.0
        move_to = u(0.36, 0.55)
    bounces = (3 if o["tempo"] == "steady" else 2) if motion == "bounce" else 0
    eased = float(o["tempo"] != "steady" and motion in DIRECTIONS)
    return [x0, y0, direction[0] * distance, direction[1] * distance, height, bounces, *circle, u(0, 2 * math.pi), first, last, move_from, move_to, eased]


def place(scene, rng):
    """Fills in the numbers of a scene."""
    objects = scene["objects"]
    arrangement = layout(objects, rng)
    first = rng.randrange(2)
    for i, o in enumerate(objects):
        o["num"] = place_object(o, 0.27 if i == first else 0.73, arrangement, rng)
    scene["bgnum"] = [rng.random() for _ in range(3 + 3 * STAR_COUNT)]
    scene["pannum"] = PAN[scene["pan"]]
    return scene


def sample_scene(rng, two_objects=TWO_OBJECTS):
    """A random scene of the training data; two_objects is the share of scenes that hold two."""
    two = rng.random() < two_objects
    a = sample_object(rng)
    objects = [a]
    if two:
        axis = {"left": "h", "right": "h", "up": "v", "down": "v", "bounce": "v"}
        while True:
            b = sample_object(rng, "still" if rng.random() < 0.4 else None)
            crossing = axis.get(a["motion"]) and axis.get(b["motion"]) and axis[a["motion"]] != axis[b["motion"]]
            if b["color"] != a["color"] and not crossing:
                break
        objects = [a, b] if rng.random() < 0.5 else [b, a]
    pan = rng.choice(["left", "right"]) if rng.random() < 0.05 else None
    return place({"objects": objects, "bg": rng.choice(BACKGROUNDS), "pan": pan}, rng)


def scenes(n, seed, two_objects=TWO_OBJECTS):
    rng = random.Random(seed)
    return [sample_scene(rng, two_objects) for _ in range(n)]


def noun_phrase(o, rng, plain):
    """ "a small red ball" """
    size = "" if (not plain and rng.random() < 0.1) else rng.choice(SIZE_WORDS[o["size"]]) + " "
    article = rng.choice(["a", "a", "a", "the", "one"]) if not plain else "a"
    noun = f"{size}{o['color']} {rng.choice(SHAPE_WORDS[o['shape']])}"
    if article == "a" and noun[0] in "aeiou":
        article = "an"
    return f"{article} {noun}"


def verb_phrase(o, rng, ing):
    """ "rests, then moves left", or with -ing forms """
    form = int(ing)
    if o["motion"] == "still":
        return rng.choice(STILL_WORDS)[form]
    move = rng.choice(MOTION_WORDS[o["motion"]])[form]
    then = rng.choice([", then ", ", then ", " then ", " and then "])
    if o["tempo"] == "rest_then":
        return rng.choice(REST_FIRST_WORDS)[form] + then + move
    if o["tempo"] == "then_rest":
        return move + then + rng.choice(REST_LAST_WORDS)[form]
    return move


def caption_parts(scene, rng, plain=False):
    """An English sentence for a scene as (text, owner) pairs: the owner is the index of the object that the text speaks
    of, "bg" for the background, or None. plain=True always names size and background; the tests use it."""
    objects = list(enumerate(scene["objects"]))
    phrases, short = BACKGROUND_WORDS[scene["bg"]]
    phrase = rng.choice(phrases)
    style = rng.random()
    drop_background = (not plain) and rng.random() < 0.07
    ing = style > 0.8

    def told(numbered, form):
        i, o = numbered
        return (f"{noun_phrase(o, rng, plain)} {verb_phrase(o, rng, form)}", i)

    if len(objects) == 1:
        parts = [told(objects[0], ing)]
    else:
        rng.shuffle(objects)
        a, b = objects
        kind = rng.random()
        if kind < 0.5:
            parts = [told(a, False), (" while ", None), told(b, False)]
        elif kind < 0.8:
            parts = [told(a, ing), (" and ", None), told(b, ing)]
        else:
            parts = [("two objects: ", None), told(a, True), (" and ", None), told(b, True)]
    if not drop_background:
        if style < 0.55 or style > 0.8:
            parts += [(rng.choice([" ", " ", ", "]) + phrase, "bg")]
        elif style < 0.7:
            parts += [(f", {short} background", "bg")]
        else:
            parts = [(f"{phrase}, ", "bg"), *parts]
    if scene["pan"]:
        parts += [(f", the camera pans {scene['pan']}", None)]
    if not plain:
        if rng.random() < 0.15:
            first, owner = parts[0]
            parts[0] = (first[0].upper() + first[1:], owner)
        if rng.random() < 0.15:
            parts += [(".", None)]
    return parts


def caption(scene, rng, plain=False):
    """An English sentence for a scene."""
    return "".join(part for part, _ in caption_parts(scene, rng, plain))


def attributes(scene):
    """What a clip of the scene must show, for scoring."""
    keys = ("color", "shape", "size", "motion", "tempo")
    return {"objects": [{k: o[k] for k in keys} for o in scene["objects"]], "background": scene["bg"], "pan": scene["pan"]}


def test_prompts(n=128, seed=777, held=True):
    """(scene, caption) pairs that always name size and background. held=True: every object is a held-out colour-shape
    pair; held=False: pairs of the training, in scenes of another seed."""
    rng = random.Random(seed)
    out, pairs = [], sorted(HELD_OUT)
    while len(out) < n:
        scene = sample_scene(rng)
        scene["pan"] = None
        if held:
            for o, (color, shape) in zip(scene["objects"], rng.sample(pairs, len(scene["objects"]))):
                o["color"], o["shape"] = color, shape
        out.append(place(scene, rng))
    return [(s, caption(s, rng, plain=True)) for s in out]


if __name__ == "__main__":
    generator = random.Random(1)
    for _ in range(12):
        print(caption(sample_scene(generator), generator))
    for test_scene, prompt in test_prompts(4):
        print("TEST", prompt, attributes(test_scene))
