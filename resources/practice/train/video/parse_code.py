"""What an embedding of the text encoder should say, and what it does say.

A token's embedding is wanted to be the sum of two parts of equal size: what the word is (the embedding of an earlier
encoder, or a random vector of its own), and whose it is: one code for each attribute of the object that its phrase
speaks of, or for the background. The codes are orthogonal to each other and to the words, so a linear map reads them;
cross-attention in the transformer is no more than that. A transformer cannot know otherwise which colour, shape and
motion belong together, since it sees the tokens as a set.
"""
import torch

import text
from scenes import caption_parts
from words import BACKGROUNDS, COLORS, MOTIONS, SHAPES, SIZE_WORDS, TEMPOS

PLACES = ["only", "first", "second"]  # of the objects, in the order of the sentence
OBJECT_FIELDS = {"color": list(COLORS), "shape": SHAPES, "size": list(SIZE_WORDS), "motion": MOTIONS, "tempo": TEMPOS, "place": PLACES}
FIELDS = {**OBJECT_FIELDS, "background": BACKGROUNDS}
UNSAID = -1
WIDTH = 192
WORD_DIRECTIONS = 80  # of WIDTH; 99 % of the variance of the words' embeddings


def size_is_said(phrase):
    said = phrase.split()
    return any(word in said for words in SIZE_WORDS.values() for word in words)


def labelled_caption(scene, rng, plain=False):
    """A caption and, for each of its characters, the labels [len(FIELDS)] of its owner."""
    parts = caption_parts(scene, rng, plain)
    order = [owner for _, owner in parts if isinstance(owner, int)]
    sentence, labels = "", []
    for part, owner in parts:
        row = dict.fromkeys(FIELDS, UNSAID)
        if owner == "bg":
            row["background"] = BACKGROUNDS.index(scene["bg"])
        elif owner is not None:
            o = {**scene["objects"][owner], "place": PLACES[1 + order.index(owner) if len(order) > 1 else 0]}
            row.update({field: values.index(o[field]) for field, values in OBJECT_FIELDS.items()})
            if not size_is_said(part):
                row["size"] = UNSAID
        sentence += part
        labels += [list(row.values())] * len(part)
    return sentence, labels


def labelled_captions(tokenizer, scene_list, rng, plain=False):
    """Token ids [N, MAX_TOKENS] and labels [N, MAX_TOKENS, len(FIELDS)]."""
    captions, by_character = zip(*(labelled_caption(s, rng, plain) for s in scene_list))
    encoded = tokenizer(list(captions), padding="max_length", max_length=text.MAX_TOKENS, truncation=True, return_offsets_mapping=True)
    labels = torch.full((len(captions), text.MAX_TOKENS, len(FIELDS)), UNSAID)
    for n, offsets in enumerate(encoded["offset_mapping"]):
        for i, (begin, end) in enumerate(offsets):
            if end > begin:
                labels[n, i] = torch.tensor(by_character[n][end - 1])
    return torch.tensor(encoded["input_ids"]), labels


class ParseCode:
    """The codes of the attributes and the targets made of them."""

    def __init__(self, words, rms):
        """words [N, WIDTH]: embeddings of words in context, whose main directions the codes avoid; rms: of an embedding."""
        generator = torch.Generator().manual_seed(1)
        words, device = words.cpu(), words.device
        self.word_mean, self.rms = words.mean(0).to(device), rms
        main = torch.linalg.svd(words - words.mean(0), full_matrices=False)[2]  # words are more than WIDTH
        count = sum(len(values) for values in FIELDS.values())
        free = main[WORD_DIRECTIONS:]
        turned = torch.linalg.qr(torch.randn(len(free), len(free), generator=generator))[0] @ free
        self.codes = (turned[:count] * (WIDTH / len(OBJECT_FIELDS)) ** 0.5).to(device)
        self.first = [sum(len(v) for v in list(FIELDS.values())[:i]) for i in range(len(FIELDS) + 1)]

    def target(self, words, labels):
        """Wanted embeddings for words' embeddings [..., WIDTH] and labels [..., len(FIELDS)]."""
        wanted = words / words.square().mean(-1, keepdim=True).sqrt().clamp(min=1e-6)
        table = torch.cat([self.codes, self.codes.new_zeros(1, WIDTH)])
        for field in range(len(FIELDS)):
            row = torch.where(labels[..., field] == UNSAID, len(self.codes), labels[..., field] + self.first[field])
            wanted = wanted + table[row]
        return self.rms * wanted / wanted.square().mean(-1, keepdim=True).sqrt().clamp(min=1e-6)

    def read(self, embeddings):
        """The likeliest label of every field, [..., len(FIELDS)]; meaningful where there is something to say."""
        scores = (embeddings - self.word_mean) @ self.codes.T
        return torch.stack([scores[..., a:b].argmax(-1) for a, b in zip(self.first, self.first[1:])], -1)
