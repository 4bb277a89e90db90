"""The tokenizer, built from the captions' grammar, and the tiny UMT5 text encoder.

usage: text.py TOKENIZER_FOLDER      builds the tokenizer and prints how captions fit it
"""
import collections
import math
import random
import re
import sys

import scenes

MAX_TOKENS = 32
MAX_PIECES = 400


def pieces(caption_count, seed):
    """(piece, log probability) pairs: special tokens, every word of the grammar, every letter and digit.

    The grammar has few words, so the most likely Unigram model is simply one piece per word with its frequency; the
    generic trainer would cut so small a language into syllables. Single characters get a low score, so that unknown
    words fall apart into known pieces.
    """
    rng = random.Random(seed)
    captions = [scenes.caption(s, rng) for s in scenes.scenes(caption_count, seed)]
    count = collections.Counter(w for c in captions for w in re.findall(r"[A-Za-z]+|[.,:]", c))
    total = sum(count.values())
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -14.0)]
    for word in sorted((w for w in count if w.isalpha()), key=lambda w: -count[w]):
        vocabulary.append(("▁" + word, math.log(count[word] / total)))
    for c in [chr(c) for c in range(97, 123)] + [chr(c) for c in range(65, 91)] + list("0123456789.,:;!?'-"):
        vocabulary.append((c, math.log(count[c] / total) if c in ".,:" else -16.0))
    assert len(vocabulary) <= MAX_PIECES, len(vocabulary)
    return vocabulary


def build_tokenizer(folder, caption_count=40000, seed=11):
    from transformers import T5TokenizerFast

    tokenizer = T5TokenizerFast(vocab=pieces(caption_count, seed), extra_ids=0, model_max_length=512)
    tokenizer.save_pretrained(folder)
    return tokenizer


def load_tokenizer(folder):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def text_config(vocab):
    from transformers import UMT5Config

    return UMT5Config(
        vocab_size=vocab,
        d_model=192,
        d_kv=32,
        num_heads=6,
        d_ff=512,
        num_layers=3,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
        relative_attention_num_buckets=32,
        relative_attention_max_distance=128,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
        tie_word_embeddings=False,
        is_encoder_decoder=True,
        use_cache=False,
    )


def ids(tokenizer, captions):
    """Token ids [N, MAX_TOKENS], padded and truncated as the pipeline does."""
    return tokenizer(captions, padding="max_length", max_length=MAX_TOKENS, truncation=True, return_tensors="pt").input_ids


def embed(encoder, tokens):
    """Embeddings [N, MAX_TOKENS, 192] as the pipeline gives them: encoded with the mask, then zero where there is padding."""
    mask = tokens.ne(0)
    hidden = encoder(input_ids=tokens, attention_mask=mask.long()).last_hidden_state
    return hidden * mask[..., None].to(hidden.dtype)


def main():
    build_tokenizer(sys.argv[1])
    tokenizer = load_tokenizer(sys.argv[1])
    print(type(tokenizer).__name__, len(tokenizer), "pieces")
    print(tokenizer.tokenize("two objects: a Big blue zebra, checkered background."))
    rng = random.Random(4)
    captions = [scenes.caption(s, rng) for s in scenes.scenes(20000, 4)]
    tokens = tokenizer(captions).input_ids
    lengths = [len(t) for t in tokens]
    longest = max(range(len(lengths)), key=lengths.__getitem__)
    print(f"tokens of a caption: mean {sum(lengths) / len(lengths):.1f}, most {lengths[longest]} ({captions[longest]!r})")
    print("captions over the limit:", sum(n > MAX_TOKENS for n in lengths), "with unknown pieces:", sum(2 in t for t in tokens))


if __name__ == "__main__":
    main()
