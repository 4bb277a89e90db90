"""The grammar's words: what a caption may say for every attribute of a scene.

The practice model knows these words and no others. `rubato.json` lists them for autocompletion (see card.py).
"""

COLORS = {
    "red": (0.93, 0.12, 0.14),
    "green": (0.15, 0.80, 0.22),
    "blue": (0.13, 0.30, 1.0),
    "yellow": (1.0, 0.88, 0.12),
    "orange": (1.0, 0.52, 0.05),
    "purple": (0.66, 0.22, 0.90),
    "white": (0.97, 0.97, 0.97),
    "cyan": (0.10, 0.86, 0.92),
}
SHAPES = ["circle", "square", "triangle", "star", "ring", "heart", "cross"]
MOTIONS = ["still", "left", "right", "up", "down", "bounce", "circle", "grow", "shrink"]
TEMPOS = ["steady", "rest_then", "then_rest"]
BACKGROUNDS = ["night", "sand", "forest", "wall", "sunset", "checker", "stars", "sea"]

# Words repeated in a list are chosen more often.
SIZE_WORDS = {
    "small": ["small", "small", "small", "little", "tiny"],
    "big": ["big", "big", "big", "large", "huge"],
}
SHAPE_WORDS = {
    "circle": ["circle", "circle", "ball", "disc"],
    "square": ["square", "square", "box"],
    "triangle": ["triangle"],
    "star": ["star"],
    "ring": ["ring", "ring", "hoop"],
    "heart": ["heart"],
    "cross": ["cross", "cross", "plus sign"],
}
# (finite form, -ing form)
MOTION_WORDS = {
    "left": [
        ("moves left", "moving left"),
        ("moves to the left", "moving to the left"),
        ("slides left", "sliding left"),
        ("glides to the left", "gliding to the left"),
        ("travels left", "travelling left"),
    ],
    "right": [
        ("moves right", "moving right"),
        ("moves to the right", "moving to the right"),
        ("slides right", "sliding right"),
        ("glides to the right", "gliding to the right"),
        ("travels right", "travelling right"),
    ],
    "up": [
        ("moves up", "moving up"),
        ("moves upward", "moving upward"),
        ("rises", "rising"),
        ("goes up", "going up"),
        ("floats up", "floating up"),
    ],
    "down": [
        ("moves down", "moving down"),
        ("moves downward", "moving downward"),
        ("falls", "falling"),
        ("goes down", "going down"),
        ("sinks", "sinking"),
    ],
    "bounce": [
        ("bounces", "bouncing"),
        ("bounces up and down", "bouncing up and down"),
        ("jumps up and down", "jumping up and down"),
        ("hops", "hopping"),
    ],
    "circle": [
        ("circles around", "circling around"),
        ("moves in a circle", "moving in a circle"),
        ("goes around in a circle", "going around in a circle"),
        ("orbits", "orbiting"),
    ],
    "grow": [("grows", "growing"), ("gets bigger", "getting bigger"), ("expands", "expanding")],
    "shrink": [("shrinks", "shrinking"), ("gets smaller", "getting smaller"), ("contracts", "contracting")],
}
STILL_WORDS = [
    ("stays still", "staying still"),
    ("does not move", "not moving"),
    ("stands still", "standing still"),
    ("rests", "resting"),
]
REST_FIRST_WORDS = [
    ("rests", "resting"),
    ("waits", "waiting"),
    ("stays still", "staying still"),
    ("pauses", "pausing"),
]
REST_LAST_WORDS = [
    ("rests", "resting"),
    ("stops", "stopping"),
    ("stays still", "staying still"),
    ("pauses", "pausing"),
]
# (phrases after a sentence, the noun in "..., NOUN background")
BACKGROUND_WORDS = {
    "night": (["at night", "on a dark blue background", "in the night"], "night"),
    "sand": (["on sand", "on the beach", "on a sandy ground"], "sand"),
    "forest": (["in a forest", "in front of a forest", "in the dark green forest"], "forest"),
    "wall": (["on a grey wall", "in front of a grey wall", "against a gray wall"], "grey"),
    "sunset": (["at sunset", "in front of a sunset", "under a sunset sky"], "sunset"),
    "checker": (["on a checkered floor", "on a checkerboard", "over a checker pattern"], "checkered"),
    "stars": (["over a starry sky", "under the stars", "in space"], "starry"),
    "sea": (["over the sea", "by the sea", "on the ocean"], "sea"),
}
