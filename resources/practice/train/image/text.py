"""The two tokenizers, built from the captions' grammar, and the two text encoders.

usage: text.py FOLDER      builds FOLDER/tokenizer and FOLDER/tokenizer_2 (needs sentencepiece); prints how captions fit
"""
import collections
import json
import math
import os
import sys

import torch

import scenes

CLIP_TOKENS, T5_TOKENS = 77, 32
CLIP_WIDTH, T5_WIDTH = 128, 192
CLIP_PIECES, T5_PIECES = 600, 384  # at most


# ---- tokenizers -----------------------------------------------------------------------------------------------------


def byte_symbols():
    """GPT-2's printable stand-ins for bytes, which CLIP uses too."""
    keep = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = (chr(256 + n) for n in range(256))
    return {b: chr(b) if b in keep else next(others) for b in range(256)}


def train_clip_merges(word_counts, size):
    """Byte-pair merges over {word: count}. The alphabet leaves out what lower-cased valid UTF-8 cannot hold."""
    symbols = byte_symbols()
    ascii_bytes = [b for b in range(33, 127) if not 65 <= b <= 90]
    tails, leads = list(range(0x80, 0xC0)), list(range(0xC2, 0xF5))
    vocabulary = [symbols[b] for b in ascii_bytes + tails + leads] + [symbols[b] + "</w>" for b in ascii_bytes + tails]
    words = [([*w[:-1], w[-1] + "</w>"], n) for w, n in word_counts.items()]
    merges = []
    while len(vocabulary) < size - 2:
        pairs = collections.Counter()
        for pieces, n in words:
            for pair in zip(pieces, pieces[1:]):
                pairs[pair] += n
        if not pairs:
            break
        (a, b), _ = max(pairs.items(), key=lambda item: (item[1], item[0]))
        merges.append((a, b))
        if a + b not in vocabulary:
            vocabulary.append(a + b)
        for pieces, _ in words:
            i = 0
            while i < len(pieces) - 1:
                if pieces[i] == a and pieces[i + 1] == b:
                    pieces[i : i + 2] = [a + b]
                i += 1
    vocabulary += ["<|startoftext|>", "<|endoftext|>"]
    return {piece: i for i, piece in enumerate(vocabulary)}, merges


def build_tokenizers(folder, caption_count=60000, seed=7):
    """The counts of words are damped, so that the rare ones of the grammar do not drown."""
    import sentencepiece
    from transformers import CLIPTokenizer, T5TokenizerFast

    captions = [s.caption for s in scenes.scenes(caption_count, seed)]
    clip_folder, t5_folder = f"{folder}/tokenizer", f"{folder}/tokenizer_2"
    os.makedirs(clip_folder, exist_ok=True)
    os.makedirs(t5_folder, exist_ok=True)
    counts = collections.Counter(w.strip(".,") for c in captions for w in c.split())
    lower = collections.Counter()
    for word, n in counts.items():
        lower[word.lower()] += n
    vocabulary, merges = train_clip_merges({w: math.sqrt(n) for w, n in lower.items() if w}, CLIP_PIECES)
    CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=CLIP_TOKENS).save_pretrained(clip_folder)
    with open(f"{clip_folder}/vocab.json", "w", encoding="utf-8") as file:  # the classic files, for other readers
        json.dump(vocabulary, file, ensure_ascii=False)
    with open(f"{clip_folder}/merges.txt", "w", encoding="utf-8") as file:
        file.write("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    lines = [w for w, n in sorted(counts.items()) for _ in range(int(math.sqrt(n)) + 1)] + captions[:300]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_prefix=f"{t5_folder}/spiece", model_type="unigram", vocab_size=T5_PIECES,
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, required_chars="".join(map(chr, range(33, 127))), character_coverage=1.0,
        hard_vocab_limit=False, normalization_rule_name="nmt_nfkc", minloglevel=2,
    )  # fmt: skip
    os.remove(f"{t5_folder}/spiece.vocab")
    config = {"tokenizer_class": "T5Tokenizer", "extra_ids": 0, "additional_special_tokens": [], "model_max_length": T5_TOKENS}
    with open(f"{t5_folder}/tokenizer_config.json", "w") as file:
        json.dump({**config, "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}, file)
    T5TokenizerFast.from_pretrained(t5_folder).save_pretrained(t5_folder)


def load_tokenizers(folder):
    """(CLIP's, T5's) of a pipeline's folder."""
    from transformers import CLIPTokenizer, T5TokenizerFast

    return CLIPTokenizer.from_pretrained(f"{folder}/tokenizer"), T5TokenizerFast.from_pretrained(f"{folder}/tokenizer_2")


def clip_ids(tokenizer, captions):
    return tokenizer(captions, padding="max_length", max_length=CLIP_TOKENS, truncation=True, return_tensors="pt").input_ids


def t5_ids(tokenizer, captions):
    return tokenizer(captions, padding="max_length", max_length=T5_TOKENS, truncation=True, return_tensors="pt").input_ids


def ids(tokenizers, captions):
    """(CLIP ids [N, 77], T5 ids [N, 32]), padded and cut as FluxPipeline does."""
    return clip_ids(tokenizers[0], captions), t5_ids(tokenizers[1], captions)


# ---- encoders -------------------------------------------------------------------------------------------------------


def make_encoders(tokenizers):
    from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

    clip, t5 = tokenizers
    clip_config = CLIPTextConfig(
        vocab_size=len(clip), hidden_size=CLIP_WIDTH, intermediate_size=512, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=CLIP_TOKENS, hidden_act="quick_gelu", projection_dim=CLIP_WIDTH,
        bos_token_id=clip.bos_token_id, eos_token_id=clip.eos_token_id, pad_token_id=clip.pad_token_id,
    )  # fmt: skip
    t5_config = T5Config(
        vocab_size=len(t5), d_model=T5_WIDTH, d_kv=32, num_heads=6, d_ff=512, num_layers=3, feed_forward_proj="gated-gelu",
        dropout_rate=0.0, pad_token_id=0, eos_token_id=1, tie_word_embeddings=True, is_encoder_decoder=False, use_cache=False,
    )  # fmt: skip
    return CLIPTextModel(clip_config), T5EncoderModel(t5_config)


def load_encoders(folder, device):
    """Both encoders of a pipeline's folder or of train_text.py's output, in float32."""
    from transformers import CLIPTextModel, T5EncoderModel

    loaded = CLIPTextModel.from_pretrained(f"{folder}/text_encoder", dtype=torch.float32), T5EncoderModel.from_pretrained(
        f"{folder}/text_encoder_2", dtype=torch.float32
    )
    return tuple(encoder.to(device).eval().requires_grad_(False) for encoder in loaded)


class Embed:
    """Token ids -> (T5's embeddings [N, 32, 192], CLIP's pooled output [N, 128]) in float16. FluxPipeline gives T5 no
    mask, so its padding says something too."""

    def __init__(self, encoders, batch=2048):
        self.clip, self.t5 = encoders
        self.batch = batch

    @torch.no_grad()
    def __call__(self, clip_tokens, t5_tokens):
        with torch.autocast(t5_tokens.device.type, enabled=False):
            words = [self.t5(input_ids=t).last_hidden_state.half() for t in t5_tokens.split(self.batch)]
            pooled = [self.clip(input_ids=t).pooler_output.half() for t in clip_tokens.split(self.batch)]
        return torch.cat(words), torch.cat(pooled)


def main():
    build_tokenizers(sys.argv[1])
    tokenizers = load_tokenizers(sys.argv[1])
    captions = [s.caption for s in scenes.scenes(20000, 99)]
    for name, tokenizer, most in zip(("CLIP", "T5"), tokenizers, (CLIP_TOKENS, T5_TOKENS)):
        lengths = [len(t) for t in tokenizer(captions).input_ids]
        print(name, len(tokenizer), "pieces; tokens of a caption: mean %.1f, most %d" % (sum(lengths) / len(lengths), max(lengths)))
        print("captions over the limit:", sum(n > most for n in lengths), tokenizer.tokenize("A huge checkered star."))


if __name__ == "__main__":
    main()
