"""What the embeddings of the text encoders should say, and what they do say.

T5: the embedding of a token is wanted to be the sum of two parts of equal size: what the word is (a random vector of
its own), and whose it is: one code for each attribute of the object that its phrase speaks of, or of the background;
</s> and the padding speak of the whole picture. CLIP: its one vector is wanted to be the sum of codes of what is in the
picture. The codes are orthogonal to each other and to the words, so that a linear map reads them. The transformer sees
the words as a set (Flux gives text no positions), so nothing else could tell it which colour, shape and place belong
together.
"""
import torch

import text
from scenes import WHOLE_SHAPES
from words import BACKGROUNDS, KINDS, NAMES, SHAPES, SIZES, TEXTURES

COLUMNS = ["left", "middle", "right", "free", "spread", "mirror", "border"]
ROWS = ["top", "middle", "bottom", "free", "spread", "border"]
OBJECT_FIELDS = {
    "colour": NAMES, "shape": SHAPES + WHOLE_SHAPES, "size": SIZES, "texture": TEXTURES, "many": [1, 2, 3, 4], "column": COLUMNS, "row": ROWS
}  # fmt: skip
GROUND_FIELDS = {"ground": BACKGROUNDS, "ground_colour": NAMES, "ground_end": NAMES}
FIELDS = {**OBJECT_FIELDS, **GROUND_FIELDS, "kind": list(KINDS)}
FIRST = {field: sum(len(FIELDS[f]) for f in list(FIELDS)[:i]) for i, field in enumerate(FIELDS)}
CODES = sum(map(len, FIELDS.values()))
UNSAID = -1
PICTURE_FIELDS = ["kind", "ground", "ground_colour", "ground_end", "colour", "shape"]  # of CLIP's vector


def row_of(label):
    return [FIELDS[field].index(label[field]) if field in label else UNSAID for field in FIELDS]


def label_captions(tokenizers, scene_list):
    """For scenes: CLIP ids [N, 77], T5 ids [N, 32], the labels of T5's tokens [N, 32, len(FIELDS)], and which codes
    CLIP's vector should hold [N, CODES]."""
    captions = [s.caption for s in scene_list]
    clip_tokens, t5_tokens = text.ids(tokenizers, captions)
    encoded = tokenizers[1](captions, padding="max_length", max_length=text.T5_TOKENS, truncation=True, return_offsets_mapping=True)
    labels, present, nothing = [], torch.zeros(len(captions), CODES), [UNSAID] * len(FIELDS)
    for n, (scene, offsets) in enumerate(zip(scene_list, encoded["offset_mapping"])):
        whole = {"kind": scene.kind} | next((label for label in scene.labels if "ground" in label), {})
        rows, whole_row = [row_of(label) for label in scene.labels], row_of(whole)
        by_character = [nothing if owner is None else rows[owner] for part, owner in scene.parts for _ in part]
        labels.append([by_character[end - 1] if end > begin else whole_row for begin, end in offsets])  # else: </s> or padding
        for label in [whole, *scene.labels]:
            for field in PICTURE_FIELDS:
                if field in label:
                    present[n, FIRST[field] + FIELDS[field].index(label[field])] = 1
    return clip_tokens, t5_tokens, torch.tensor(labels), present


class ParseCode:
    """The codes of the attributes and the targets made of them."""

    def __init__(self, pieces, device):
        generator = torch.Generator().manual_seed(1)

        def turned(width):
            return torch.linalg.qr(torch.randn(width, width, generator=generator))[0].to(device)

        directions, picture_directions = turned(text.T5_WIDTH), turned(text.CLIP_WIDTH)
        self.codes = directions[:CODES] * (text.T5_WIDTH / len(OBJECT_FIELDS)) ** 0.5
        basis = directions[CODES:]
        mixture = torch.randn(pieces, len(basis), generator=generator).to(device)
        self.words = mixture / mixture.norm(dim=1, keepdim=True) @ basis * text.T5_WIDTH**0.5
        self.picture_rows = torch.tensor([FIRST[f] + i for f in PICTURE_FIELDS for i in range(len(FIELDS[f]))], device=device)
        self.picture_codes = picture_directions[: len(self.picture_rows)] * (text.CLIP_WIDTH / len(PICTURE_FIELDS)) ** 0.5

    def words_target(self, tokens, labels):
        """Wanted embeddings [..., T5_WIDTH] of T5's tokens, of mean square 1."""
        wanted = self.words[tokens]
        table = torch.cat([self.codes, self.codes.new_zeros(1, text.T5_WIDTH)])
        for i, field in enumerate(FIELDS):
            wanted = wanted + table[torch.where(labels[..., i] == UNSAID, CODES, labels[..., i] + FIRST[field])]
        return wanted / wanted.square().mean(-1, keepdim=True).sqrt()

    def picture_target(self, present):
        return present[:, self.picture_rows] @ self.picture_codes

    def read_words(self, embeddings):
        """The likeliest label of every field [..., len(FIELDS)]; meaningful where there is something to say."""
        scores = embeddings @ self.codes.T
        return torch.stack([scores[..., first : first + len(FIELDS[f])].argmax(-1) for f, first in FIRST.items()], -1)

    def read_picture(self, pooled):
        """Which codes are there [N, number of codes that CLIP's vector may hold]."""
        return pooled @ self.picture_codes.T / self.picture_codes[0].square().sum() > 0.5
