"""Draws scenes: what is in a picture, where it is, and a caption that tells whose each of its words is.

A caption is kept as parts, (text, owner) pairs; the owner is a number into the scene's `labels`, or None for words
such as "to the left of". A label says what a phrase speaks of: {"colour": "red", "shape": "star", ...}.
Coordinates run from 0 to 1, x to the right and y down.
"""
import random
import re

from draw import HULL, WINDOWS, primitive
from words import (
    BACKGROUNDS, COLOURS, HELD_OUT, KINDS, LAYOUT_PHRASES, NAMES, NUMBERS, OBJECT_KINDS, RADIUS, REGIONS, SHAPES, SIZES, TEXTURE_TAILS,
    TEXTURES, article, plural, say,
)  # fmt: skip

# Phrases are marked with characters of Unicode's private area while a sentence is put together.
FIRST_MARK, END_MARK = 0xE000, "\uf8ff"
MARKS = re.compile("[\ue000-\uf8ff]")


def mark(owner, phrase):
    return chr(FIRST_MARK + owner) + phrase + END_MARK


def split_marked(sentence):
    """Marked sentence -> [(text, owner or None)]."""
    parts, owner, text = [], None, ""
    for c in sentence + END_MARK:
        if not MARKS.match(c):
            text += c
            continue
        if text:
            parts.append((text, owner))
        owner, text = None if c == END_MARK else ord(c) - FIRST_MARK, ""
    return parts


class Scene:
    """`ground` (draw.py's row for the background), `primitives`, `caption`, `parts` and `labels`; and for a detector:
    `objects`, `relations` between them, `background` and whether it is said."""

    def __init__(self, kind):
        self.kind = kind
        self.ground, self.primitives = [], []
        self.parts, self.labels = [], []
        self.objects, self.relations = [], []
        self.background, self.background_said = None, False

    def label(self, **values):
        self.labels.append(values)
        return len(self.labels) - 1

    @property
    def caption(self):
        return "".join(text for text, _ in self.parts)


def jitter(rng, name):
    return tuple(min(1.0, max(0.0, c + rng.uniform(-0.025, 0.025))) for c in COLOURS[name])


def second_colour(name):
    """The other colour of a texture: white, or dark on a white object."""
    return (0.30, 0.30, 0.34) if name == "white" else (0.80, 0.80, 0.80) if name == "black" else (0.99, 0.99, 0.97)


# ---- backgrounds ----------------------------------------------------------------------------------------------------


def background(rng, scene, forced=None):
    """Fills in the ground. Returns its marked phrase, or "" if it is not said, and the colours that objects must avoid."""
    kind = forced or rng.choices(BACKGROUNDS, (46, 16, 11, 9, 9, 9))[0]
    a = b = c = (0, 0, 0)
    p1 = p2 = 0.0
    label = {"ground": kind}
    scene.background = kind
    if kind == "plain":
        said = rng.random() < 0.72
        name = rng.choice(NAMES) if said or rng.random() < 0.2 else "white"
        a = jitter(rng, name)
        phrase = "" if not said else rng.choice(["on a {0} background", "on a {0} background", "against a {0} background", "on {0}"])
        phrase, avoid = phrase.format(say(rng, name)), {name}
        scene.background, label["ground_colour"] = name, name
    elif kind == "gradient":
        first, last = rng.sample(NAMES, 2)
        a, b, p1 = jitter(rng, first), jitter(rng, last), rng.choice((0.0, 1.0))  # p1 = 1: left to right, else top to bottom
        phrase = rng.choice(["on a gradient from {} to {}", "on a {} to {} gradient"]).format(first, last)
        avoid = {first, last}
        label |= {"ground_colour": first, "ground_end": last}
    elif kind == "night":
        a, b = (0.03, 0.04, 0.13), (0.11, 0.10, 0.30)
        phrase, avoid = rng.choice(["in the night sky", "under a starry night sky", "among the stars at night"]), {"black"}
    elif kind == "sea":
        a, b, c, p1, p2 = (0.66, 0.86, 0.97), (0.86, 0.94, 0.98), (0.10, 0.40, 0.66), rng.uniform(0.5, 0.62), rng.uniform(0, 6.28)
        phrase, avoid = rng.choice(["over the sea", "above the sea", "by the sea"]), {"blue", "cyan"}
    elif kind == "hills":
        a, b, c, p1, p2 = (0.60, 0.83, 0.97), (0.86, 0.94, 0.98), (0.30, 0.66, 0.27), rng.uniform(0.58, 0.68), rng.uniform(0, 6.28)
        phrase, avoid = rng.choice(["over green hills", "above the hills", "in front of green hills"]), {"green", "cyan"}
    else:
        a, b = (0.64, 0.29, 0.21), (0.79, 0.75, 0.70)
        phrase, avoid = rng.choice(["on a brick wall", "in front of a brick wall"]), {"red", "brown", "orange"}
    scene.ground = [BACKGROUNDS.index(kind), *a, *b, *c, p1, p2, rng.random(), 0.0]
    scene.background_said = bool(phrase)
    phrase = phrase.replace("a orange", "an orange")
    return mark(scene.label(**label), phrase) if phrase else "", avoid


# ---- objects --------------------------------------------------------------------------------------------------------


def pick(rng, avoid, held_out=False, used=()):
    while True:
        if held_out:
            colour, shape = rng.choice(sorted(HELD_OUT))
        else:
            colour, shape = rng.choice(NAMES), rng.choice(SHAPES)
            if (colour, shape) in HELD_OUT:
                continue
        if colour not in avoid and (colour, shape) not in used:
            return colour, shape


def describe(rng, o, many=0):
    """An object's phrase; size and texture only where the caption says them. many: so many equal ones."""
    noun = say(rng, o["shape"])
    words = [say(rng, SIZES[o["size"]])] if o["size"] is not None else []
    colour, texture, tail = say(rng, o["colour"]), None if o["texture"] is None else TEXTURES[o["texture"]], ""
    if texture and texture != "plain":
        said, style = say(rng, texture), rng.random()
        if style < 0.45:
            words += [said, colour]
        elif style < 0.75:
            words += [colour, said]
        else:
            words += [colour]
            tail = TEXTURE_TAILS[texture]
    elif texture == "plain":
        words += ["plain", colour]
    elif not many and rng.random() < 0.06:
        return article(" ".join(words + [noun])) + " that is " + colour
    else:
        words += [colour]
    if many:
        return NUMBERS[many] + " " + " ".join(words + [plural(noun)]) + tail
    return article(" ".join(words + [noun])) + tail


class Arrangement:
    """Objects of one scene while they are being placed."""

    def __init__(self, rng, scene, avoid, held_out):
        self.rng, self.scene, self.avoid, self.held_out = rng, scene, avoid, held_out

    def add(self, x, y, column="free", row="free", like=None, detail=0.45, many=1):
        """A new object at x, y, or another one like an earlier one. column and row say in words where its phrase puts it."""
        if like:
            o = {**like, "x": x, "y": y}
        else:
            used = [(o["colour"], o["shape"]) for o in self.scene.objects]
            colour, shape = pick(self.rng, self.avoid, self.held_out and not used, used)
            size = self.rng.choice((0, 1, 2)) if self.rng.random() < detail else None
            texture = self.rng.choices((0, 1, 2, 3), (1, 4, 4, 4))[0] if self.rng.random() < detail * 0.8 else None
            o = {"colour": colour, "shape": shape, "size": size, "texture": texture, "x": x, "y": y}
            o["drawn_texture"] = texture or 0
            drawn_size = SIZES[1 if size is None else size]
            o["owner"] = self.scene.label(
                colour=colour, shape=shape, size=drawn_size, texture=TEXTURES[texture or 0], many=many, column=column, row=row
            )
        self.scene.objects.append(o)
        return o

    def say(self, o, many=0):
        return mark(o["owner"], describe(self.rng, o, many))

    def relate(self, *relation):
        self.scene.relations.append(relation)


def place_one(at, rng):
    if rng.random() < 0.55:
        region = rng.choice(list(REGIONS))
        x, y = REGIONS[region]
        column, row = ("left" if x < 0.4 else "right" if x > 0.6 else "middle"), ("top" if y < 0.4 else "bottom" if y > 0.6 else "middle")
        o = at.add(x + rng.uniform(-0.04, 0.04), y + rng.uniform(-0.04, 0.04), column, row)
        at.relate("region", 0, region)
        return at.say(o) + " " + mark(o["owner"], region)
    o = at.add(rng.uniform(0.32, 0.68), rng.uniform(0.32, 0.68))
    return rng.choice(["", "", "", "there is ", "just "]) + at.say(o)


def place_pair(at, rng):
    d, across = rng.uniform(0.21, 0.26), rng.uniform(-0.07, 0.07)
    order = rng.choice([(0, 1), (1, 0)])
    horizontal, first = rng.random() < 0.5, order[0]
    aside = 0.5 + across + rng.uniform(-0.05, 0.05)
    if horizontal:
        places = [(0.5 - d, 0.5 + across, "left", "middle"), (0.5 + d, aside, "right", "middle")]
        words = [["to the left of", "left of"], ["to the right of", "right of"]]
        sides, relation = ["on the left", "on the right"], ["left", "right"]
    else:
        places = [(0.5 + across, 0.5 - d, "middle", "top"), (aside, 0.5 + d, "middle", "bottom")]
        words = [["above", "over", "on top of"], ["below", "under"]]
        sides, relation = ["at the top", "at the bottom"], ["above", "below"]
    a, b = (at.add(*places[i]) for i in order)
    at.relate(relation[first], 0, 1)
    if rng.random() < 0.7:
        return f"{at.say(a)} {rng.choice(words[first])} {at.say(b)}"
    return f"{at.say(a)} {sides[first]} and {at.say(b)} {sides[1 - first]}"


def place_three(at, rng):
    across, down = rng.uniform(-0.1, 0.1), rng.random() < 0.4
    names = ["top", "middle", "bottom"] if down else ["left", "middle", "right"]
    said = []
    for i, name in enumerate(names):
        along, aside = 0.2 + 0.3 * i + rng.uniform(-0.02, 0.02), 0.5 + across + rng.uniform(-0.03, 0.03)
        place = (aside, along, "middle", name) if down else (along, aside, name, "middle")
        said.append(at.say(at.add(*place, detail=0.15)))
    for pair in ((0, 1), (1, 2)):
        at.relate("above" if down else "left", *pair)
    a, b, c = said
    if rng.random() < 0.6:
        return f"from {'top to bottom' if down else 'left to right'}, {a}, {b} and {c}"
    return f"{b} between {a} {'above' if down else 'on the left'} and {c} {'below' if down else 'on the right'}"


def place_four(at, rng):
    said = []
    for y, row in ((0.27, "top"), (0.73, "bottom")):
        for x, column in ((0.27, "left"), (0.73, "right")):
            said.append(at.say(at.add(x + rng.uniform(-0.03, 0.03), y + rng.uniform(-0.03, 0.03), column, row, detail=0.0)))
    for relation in (("left", 0, 1), ("left", 2, 3), ("above", 0, 2), ("above", 1, 3)):
        at.relate(*relation)
    return rng.choice(["{} and {} at the top, {} and {} at the bottom", "{} and {} above {} and {}"]).format(*said)


def place_count(at, rng):
    n = rng.choice((2, 3, 4))
    layout = rng.choice(["row", "column", "scattered"] + (["corners"] if n == 4 else []))
    if layout in ("row", "column"):
        step, off = {2: 0.44, 3: 0.3, 4: 0.235}[n], rng.uniform(-0.12, 0.12)
        places = [(0.5 + (i - (n - 1) / 2) * step, 0.5 + off) for i in range(n)]
        places = [place[::-1] for place in places] if layout == "column" else places
    else:
        quarters = [(0.27, 0.27), (0.73, 0.27), (0.27, 0.73), (0.73, 0.73)]
        rng.shuffle(quarters)
        w = 0.02 if layout == "corners" else 0.06
        places = [(x + rng.uniform(-w, w), y + rng.uniform(-w, w)) for x, y in quarters[:n]]
    names = {"row": ("spread", "middle"), "column": ("middle", "spread"), "scattered": ("free", "free"), "corners": ("spread", "spread")}
    o = at.add(*places[0], *names[layout], many=n)
    for place in places[1:]:
        at.add(*place, like=o)
    at.relate(layout, list(range(n)), None)
    phrase = rng.choice(LAYOUT_PHRASES[layout])
    phrase = phrase.replace("four corners", "corners") if rng.random() < 0.5 else phrase
    return at.say(o, n) + (mark(o["owner"], phrase) if phrase else "")


def place_group(at, rng):
    """One object above or below a pair of equal ones."""
    up = rng.random() < 0.5
    y, other, row, other_row = (0.27, 0.72, "top", "bottom") if up else (0.73, 0.28, "bottom", "top")
    a = at.add(0.5 + rng.uniform(-0.08, 0.08), y, "middle", row, detail=0.25)
    b = at.add(0.28 + rng.uniform(-0.02, 0.02), other, "spread", other_row, detail=0.25, many=2)
    at.add(0.72 + rng.uniform(-0.02, 0.02), other, like=b)
    for i in (1, 2):
        at.relate("above" if up else "below", 0, i)
    if rng.random() < 0.6:
        return f"{at.say(a)} {'above' if up else 'below'} {at.say(b, 2)}"
    return f"{at.say(b, 2)} {'below' if up else 'above'} {at.say(a)}"


def place_mirror(at, rng):
    """Long range: the right half repeats the left half."""
    at.scene.ground[13] = 1.0
    x, y = rng.uniform(0.24, 0.29), rng.uniform(0.35, 0.65)
    o = at.add(x, y, "mirror", "free")
    at.add(1 - x, y, like=o)
    at.relate("mirror", 0, 1)
    return rng.choice(["{} and its mirror image", "{} mirrored left and right", "a symmetric picture of {}"]).format(at.say(o))


def place_border(at, rng):
    """Long range: one small shape repeated all around the frame."""
    o = at.add(0.5 + rng.uniform(-0.03, 0.03), 0.5 + rng.uniform(-0.03, 0.03), "middle", "middle")
    colour, shape = pick(rng, at.avoid, used=[(o["colour"], o["shape"])])
    at.scene.primitives.append(primitive(SHAPES.index(shape), 0, 0, 0.036, 0.036, jitter(rng, colour), mode=2))
    border = at.scene.label(colour=colour, shape=shape, column="border", row="border")
    phrase = mark(border, say(rng, colour) + " " + plural(say(rng, shape)))
    return rng.choice(["{} inside a border of {}", "{} framed by {}", "{} with a border of {}"]).format(at.say(o), phrase)


PLACE = {
    "one": place_one, "pair": place_pair, "three": place_three, "four": place_four,
    "count": place_count, "group": place_group, "mirror": place_mirror, "border": place_border,
}  # fmt: skip


def draw_objects(rng, scene, layout):
    """The primitives of the objects, with sizes, turns and colours drawn; objects keep inside the picture."""
    n = len(scene.objects)
    for i, o in enumerate(scene.objects):
        if scene.kind == "mirror" and i == 1:
            o.update(x=1 - scene.objects[0]["x"], y=scene.objects[0]["y"], radius=scene.objects[0]["radius"])
            break
        radius = RADIUS[n][1 if o["size"] is None else o["size"]] * rng.uniform(0.92, 1.08) * (0.8 if scene.kind == "border" else 1)
        if n == 4 and layout in ("row", "column"):
            radius = min(radius, 0.105)
        turn = rng.uniform(-0.45, 0.45) if scene.kind == "mirror" else rng.uniform(-0.12, 0.12)
        o.update(x=min(1 - radius, max(radius, o["x"])), y=min(1 - radius, max(radius, o["y"])), radius=radius)
        period = max(0.035, radius * (0.5 if o["drawn_texture"] == 1 else 0.55)) * rng.uniform(0.9, 1.1)
        scene.primitives.append(
            primitive(
                SHAPES.index(o["shape"]), o["x"], o["y"], radius, radius, jitter(rng, o["colour"]),
                turn, o["drawn_texture"], second_colour(o["colour"]), period,
            )
        )  # fmt: skip


# ---- whole scenes ---------------------------------------------------------------------------------------------------


def sun(rng, scene, x):
    if rng.random() < 0.7:
        colour = rng.choice(["yellow", "yellow", "orange", "red"])
        scene.primitives.append(primitive(0, 0.15 if x > 0.5 else 0.85, 0.16, 0.085, 0.085, jitter(rng, colour)))
        return " under " + mark(scene.label(shape="sun", colour=colour), f"{article(colour)} sun")
    return ""


def house(rng, scene):
    background(rng, scene, "hills")
    roofs = ["red", "brown", "blue", "purple", "black", "orange"]
    wall = rng.choice(["white", "yellow", "pink", "gray", "orange", "red"])
    roof = rng.choice([c for c in roofs if c != wall])
    door = rng.choice([c for c in ("brown", "red", "green", "blue", "black") if c != wall])
    x, w = rng.uniform(0.36, 0.64), rng.uniform(0.19, 0.23)
    scene.primitives += [
        primitive(1, x, 0.70, w / 0.82, 0.15 / 0.82, jitter(rng, wall)),
        primitive(2, x, 0.475, w * 1.45, 0.155, jitter(rng, roof)),
        primitive(1, x, 0.765, 0.045 / 0.82, 0.085 / 0.82, jitter(rng, door)),
    ]
    scene.primitives += [primitive(1, x + s * w * 0.55, 0.66, 0.04 / 0.82, 0.04 / 0.82, (0.75, 0.90, 0.98)) for s in (-1, 1)]
    said = article((wall + " " if rng.random() < 0.5 else "") + "house")
    text = mark(scene.label(shape="house", **({"colour": wall} if wall in said else {})), said)
    text += " with " + mark(scene.label(shape="roof", colour=roof), f"{article(roof)} roof")
    if rng.random() < 0.3:
        text += " and " + mark(scene.label(shape="door", colour=door), f"{article(door)} door")
    return text + sun(rng, scene, x)


def tree(rng, scene):
    background(rng, scene, "hills")
    colour = rng.choice(["green", "green", "orange", "pink", "red", "yellow"])
    x, pointed = rng.uniform(0.35, 0.65), rng.random() < 0.4
    scene.primitives += [
        primitive(0, x, 1.25, 0.75, 0.55, (0.24, 0.56, 0.22)),
        primitive(1, x, 0.66, 0.032 / 0.82, 0.12 / 0.82, jitter(rng, "brown")),
    ]
    rgb = (0.09, 0.45, 0.16) if colour == "green" else jitter(rng, colour)
    if pointed:
        scene.primitives += [primitive(2, x, 0.50 - 0.1 * i, 0.20 - 0.035 * i, 0.15 - 0.02 * i, rgb) for i in range(3)]
    else:
        scene.primitives += [primitive(0, x + dx, 0.42 + dy, 0.12, 0.12, rgb) for dx, dy in ((-0.09, 0.04), (0.09, 0.04), (0, -0.06))]
    form = "pointed" if pointed else "round"
    said = rng.choice([f"a {form} {colour} tree", f"a {form} tree with {colour} leaves"])
    return mark(scene.label(shape=f"{form} tree", colour=colour), said) + " on a hill" + sun(rng, scene, x)


def boat(rng, scene):
    background(rng, scene, "sea")
    scene.ground[10] = rng.uniform(0.52, 0.57)
    hull = rng.choice(["red", "brown", "black", "green", "white", "yellow"])
    sail = rng.choice(["white", "red", "yellow", "orange", "pink", "purple"])
    x, side = rng.uniform(0.35, 0.65), rng.choice((-1, 1))
    scene.primitives += [
        primitive(1, x, 0.47, 0.012 / 0.82, 0.20 / 0.82, (0.30, 0.20, 0.12)),
        primitive(2, x + side * 0.085, 0.45, 0.12, 0.17, jitter(rng, sail)),
        primitive(HULL, x, 0.69, 0.22, 0.12, jitter(rng, hull)),
    ]
    the_hull, the_sail = scene.label(shape="boat", colour=hull), scene.label(shape="sail", colour=sail)
    sail = mark(the_sail, f"{article(sail)} sail")
    text = rng.choice([
        f"{mark(the_hull, article(hull) + ' boat')} with {sail} on the sea",
        f"{mark(the_hull, 'a sailing boat')} on the sea with {mark(the_hull, article(hull) + ' hull')} and {sail}",
    ])  # fmt: skip
    return text + sun(rng, scene, x)


def city(rng, scene):
    background(rng, scene, "night")
    text = mark(scene.label(shape="city"), rng.choice(["a city skyline at night", "a night city skyline", "a city at night"]))
    if rng.random() < 0.7:
        colour, full = rng.choice(["yellow", "white", "orange"]), rng.random() < 0.5
        scene.primitives.append(primitive(0 if full else 7, rng.uniform(0.15, 0.85), 0.15, 0.08, 0.08, jitter(rng, colour)))
        owner = scene.label(shape="full moon" if full else "moon", colour=colour)
        text += " under " + mark(owner, article(("full " if full else "") + colour + " moon"))
    for i in range(8):
        w, h, g = rng.uniform(0.055, 0.075), rng.uniform(0.16, 0.36), rng.uniform(0.10, 0.22)
        scene.primitives.append(
            primitive(1, (i + 0.5) / 8, 1 - h + 0.02, w / 0.82, h / 0.82, (g, g, g + 0.06), 0.0, WINDOWS, (0.98, 0.85, 0.40), 0.042)
        )
    return text


WHOLE = {"house": house, "tree": tree, "boat": boat, "city": city}
WHOLE_SHAPES = ["house", "roof", "door", "sun", "round tree", "pointed tree", "boat", "sail", "city", "full moon"]


# ---- scenes ---------------------------------------------------------------------------------------------------------


def finish(rng, sentence):
    """The marked sentence with a beginning, capital letter and full stop, now and then."""
    if rng.random() < 0.15 and MARKS.sub("", sentence).split()[0] in ("a", "an", "two", "three", "four"):
        sentence = rng.choice(["a picture of ", "an image of ", "a drawing of "]) + sentence
    if rng.random() < 0.3:
        first = 1 if MARKS.match(sentence) else 0
        sentence = sentence[:first] + sentence[first].upper() + sentence[first + 1 :]
    return sentence + ("." if rng.random() < 0.2 else "")


def draw_scene(rng, held_out=False, kinds=KINDS):
    """One scene. held_out: its first object is a pair of HELD_OUT; without it there is none. kinds: how often each."""
    scene = Scene(rng.choices(list(kinds), kinds.values())[0])
    if scene.kind in WHOLE:
        scene.parts = split_marked(finish(rng, WHOLE[scene.kind](rng, scene)))
        scene.background_said = False
        return scene
    where, avoid = background(rng, scene)
    text = PLACE[scene.kind](Arrangement(rng, scene, avoid, held_out), rng)
    draw_objects(rng, scene, scene.relations[0][0] if scene.kind == "count" else None)
    if where:
        text = f"{text} {where}" if rng.random() < 0.88 or "by the sea" in where else f"{where}, {text}"
    scene.parts = split_marked(finish(rng, text))
    return scene


def scenes(count, seed, kinds=KINDS):
    rng = random.Random(seed)
    return [draw_scene(rng, kinds=kinds) for _ in range(count)]


def test_scenes(count, seed, held_out=True):
    """Scenes of objects only: the whole scenes have no parts that the detector knows."""
    rng = random.Random(seed)
    return [draw_scene(rng, held_out, OBJECT_KINDS) for _ in range(count)]
