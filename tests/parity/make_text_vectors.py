"""Makes the tokenizers and the expected results in tests/data/text.

usage: make_text_vectors.py [OUT_FOLDER]

Needs tokenizers 0.23.3, transformers 5.17.0, sentencepiece 0.2 and ftfy 6.3.1 (diffusers 0.42.1's prompt_clean is
ftfy.fix_text, html.unescape twice, white space collapsed and stripped). The tokenizers are trained here on a few
lines of text; "file" sets are what the `tokenizers` library makes of a tokenizer.json as it is, "folder" sets what
transformers' T5TokenizerFast makes of the folder.
"""
import html
import io
import json
import pathlib
import random
import re
import shutil
import sys

import ftfy
import sentencepiece
import tokenizers
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import T5TokenizerFast

ROOT = pathlib.Path(__file__).resolve().parents[2]

CORPUS = """a small red circle moves left over the sea, then stops at night
two dogs are running through a field of tall grass while the camera pans slowly to the right
une voiture rouge traverse la ville sous la pluie, l'été à la plage, garçon, où êtes-vous
ein großer Hund läuft über die Straße; schöne Grüße aus München
быстрая коричневая лиса прыгает через ленивую собаку
夕焼けの海辺を歩く人々、映画のような照明
一只猫坐在窗台上看着外面的雨
고양이가 창가에 앉아 있다
cinematic 4k 35mm film, bokeh, 1920x1080 @ 24fps -- highly detailed (masterpiece:1.2) [blurry] {best|worst}
the ocean waves crash; "hello", she said: it's 50% off, $5 & more? yes! aaaa aaa aa ababab
"""

TEXTS = [
    "", " ", "   ", "\n", "\t\t", "a", "a small red circle rests, then moves right over a starry sky",
    "A Big Blue square bounces while a green star stays still, on sand.", "  leading and trailing  ",
    "many     spaces   inside", "line one\nline two\r\nline three\rline four", "tab\tseparated\tvalues",
    "\u00a0no-break\u00a0space\u2003em\u3000ideographic\u200bzero width\u2028line sep",
    "</s>", "a</s>b", "a </s> b", "<pad><unk></s>", "<unk>", "x<unk>y", "<extra_id_0> and <extra_id_1>", "a<extra_id_0>b",
    "<extra_id_7><extra_id_0>", "<extra_id_99>", "< extra_id_0>", "<s>", "</S>", "▁", "▁▁", "a▁b", "▁leading meta", "x ▁ y", "a▁▁ b",
    "emoji 😀 😂👍🏽 👩‍👩‍👧‍👦 🇩🇪 ❤️ ☃", "夕焼けの海辺、映画", "一只猫，坐在窗台上。", "고양이 한글", "ﾊﾝｶｸ ｶﾀｶﾅ ﾞ", "ＦＵＬＬ　ＷＩＤＴＨ　１２３！",
    "ﬁne ﬂow oﬃce ﬆop ǆ ㎏ ㍿ ① Ⅷ ½ ² ™ ℡", "e\u0301te\u0301 cafe\u0301 n\u0303 a\u030a o\u0308", "été café ñ å ö",
    "\u0915\u094d\u0937\u093f \u0928\u092e\u0938\u094d\u0924\u0947", "\u0e01\u0e33 \u0e44\u0e17\u0e22", "مرحبا بالعالم", "שלום עולם", "Привет, мир! быстрая лиса",
    "control\x01\x02 chars\x7f\x0b\x0c\x1f\x00here", "\ufeffbyte order mark\ufeff", "soft\u00adhyphen \u200e\u200f\u202a marks", "\ufffd replacement",
    "“curly” ‘quotes’ – dashes — and … dots", "it's 50% off & more; (masterpiece:1.2), [blurry] {x|y} <lora:foo:0.8>",
    "aaaa aaaaaaaa aaaaaaaaaaaaaaaaaaaaaaa", "abababababab aab abb baab", "zzzz qqqq xxxxjjjj", "supercalifragilisticexpialidocious",
    "ÀÉÎÕÜ àéîõü ßœæ ŁłŻż İıŞş", "\U0001d400\U0001d4d0 \U0001f1e6 \U0010ffff \ue000 \u0378", "a\u0300\u0301\u0302\u0303b", "\r\n\r\n a \r\n",
    "१२३ ٣٤٥ 123", "don't won't I'm you're", "http://example.com/a?b=c&d=e#f user@example.org", "#hashtag @mention 100,000.50", "word" * 200,
    "the quick brown fox " * 20, "<<>> <x> <X> x<x>x <keep me> [MASK] [MASK][MASK] foo[MASK]bar  [MASK]  ", "BIG big Big BIGGER aBIG", "ＢＩＧ ½BIG ＢＩＴ BIT BITＢＩＴ", "foo  <r>  bar", "foo  <l>  bar",
    "<r> <r><l> <l>", "word word.word wordy sword word", "\u200b\u200bword \u200b a", "\u200b", "\u0301a</s>\u200bb a</s> b", "日word本 word's", "ｗｏｒｄ", "\u1680ogham\u205fmath\u202fnarrow", "\u0085next line\u001cfs",
]


def random_texts(count, seed):
    """Strings from mixed alphabets, from plain letters to unassigned code points."""
    rng = random.Random(seed)
    pools = [list("abcdefghij aeiou "), list("ab "), list("the small red circle, moves. "), [chr(c) for c in range(1, 0x100)], [chr(c) for c in range(0x300, 0x370)] + list("aeo n"),
             [chr(c) for c in range(0x370, 0x600)] + [" "], [chr(c) for c in range(0x900, 0xE80)] + [" "], [chr(c) for c in range(0x1E00, 0x2100)] + [" "],
             [chr(c) for c in range(0x2000, 0x2C00)] + [" "], [chr(c) for c in range(0x3000, 0x3400)] + [" "], [chr(c) for c in range(0xAC00, 0xAC80)] + [chr(c) for c in range(0x1100, 0x1200)],
             [chr(c) for c in range(0xF900, 0x10000)] + [" "], [chr(c) for c in range(0x1F300, 0x1FA00)] + ["\u200d", "\ufe0f", "🏽", " "], ["<extra_id_0>", "</s>", "▁", " ", "a", "<pad>", "é", "\n"],
             [chr(c) for c in range(0xE000, 0x20000, 37)]]
    texts = []
    while len(texts) < count:
        pool = rng.choice(pools)
        mixed = pool + rng.choice(pools) if rng.random() < 0.4 else pool
        texts.append("".join(rng.choice(mixed) for _ in range(rng.choice([3, 8, 20, 60]))))
    return texts


def train_spiece(rule, size, **more):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS.splitlines()), model_writer=model, vocab_size=size, model_type="unigram", hard_vocab_limit=False,
        normalization_rule_name=rule, pad_id=0, eos_id=1, unk_id=2, bos_id=-1, num_threads=1, minloglevel=2, **more)
    return model.getvalue()


def proto(blob):
    from transformers.convert_slow_tokenizer import import_protobuf
    message = import_protobuf().ModelProto()
    message.ParseFromString(blob)
    return message


def write_config(folder, **values):
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", **values}, indent=1))


def make_t5(out):
    """The layout of T5 v1.1: nmt_nfkc character map; once as spiece.model, once as saved by transformers 5."""
    spiece = out / "t5_spiece"
    spiece.mkdir()
    (spiece / "spiece.model").write_bytes(train_spiece("nmt_nfkc", 320, user_defined_symbols=["<keep me>"]))
    write_config(spiece, extra_ids=10, tokenizer_class="T5Tokenizer")
    saved = out / "t5"
    T5TokenizerFast.from_pretrained(spiece).save_pretrained(saved)
    config = json.loads((saved / "tokenizer_config.json").read_text())
    for key in ("is_local", "local_files_only", "name_or_path"):
        config.pop(key, None)
    (saved / "tokenizer_config.json").write_text(json.dumps(config, indent=1))


def make_umt5(out):
    """The layout of UMT5: byte fallback, spaces squeezed by the normaliser, a meta space without a word split."""
    folder = out / "umt5"
    folder.mkdir()
    rules = out / "rules.tsv"  # a character map small enough for the repository
    rules.write_text("\n".join(["9\t20", "A\t20", "D\t20", "D A\t20", "A0\t20", "3000\t20", "FF21\t41", "FB01\t66 69", "65 301\tE9", "200B\t", "301\t"]) + "\n")
    message = proto(train_spiece("identity", 600, byte_fallback=True, normalization_rule_tsv=str(rules)))
    rules.unlink()
    vocab = [(p.piece, p.score) for p in message.pieces] + [(f"<extra_id_{i}>", 0.0) for i in range(5)]
    tok = Tokenizer(models.Unigram(vocab, unk_id=2, byte_fallback=True))
    tok.normalizer = normalizers.Sequence([normalizers.Precompiled(message.normalizer_spec.precompiled_charsmap), normalizers.Strip(left=False, right=True),
                                           normalizers.Replace(tokenizers.Regex(" {2,}"), "▁")])
    tok.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tok.post_processor = processors.TemplateProcessing(single=["$A", "</s>"], pair=["$A", "</s>", "$B", "</s>"], special_tokens=[("</s>", 1)])
    tok.add_special_tokens(["<pad>", "</s>", "<unk>"] + [f"<extra_id_{i}>" for i in range(5)])
    tok.save(str(folder / "tokenizer.json"))
    write_config(folder, extra_ids=5, tokenizer_class="T5TokenizerFast", additional_special_tokens=[f"<extra_id_{i}>" for i in range(5)])


def make_odd(out):
    """Every rule of added tokens, and the rarer normalisers and pre-tokenizers."""
    def base(name, normalizer, pre_tokenizer, post=True):
        tok = Tokenizer(models.Unigram([("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -3.0), ("a", -2.0), ("aa", -3.9), ("b", -2.1), ("ab", -3.5), ("▁a", -2.5), ("w", -4.0),
                                        ("o", -4.0), ("r", -4.0), ("d", -4.0), ("word", -5.0), ("▁word", -5.5), ("BIG", -6.0), ("I", -7.0), ("1/2", -6.0), ("é", -6.5), ("e", -3.0), ("\u0301", -6.7)], unk_id=2, byte_fallback=False))
        tok.normalizer, tok.pre_tokenizer = normalizer, pre_tokenizer
        if post:
            tok.post_processor = processors.TemplateProcessing(single=["<pad>", "$A", "</s>"], pair=None, special_tokens=[("</s>", 1), ("<pad>", 0)])
        tok.add_special_tokens(["</s>", AddedToken("<l>", lstrip=True), AddedToken("<r>", rstrip=True)])
        tok.add_tokens([AddedToken("BIG", normalized=True), AddedToken("word", single_word=True, normalized=False), AddedToken("[MASK]", lstrip=True, rstrip=True, normalized=False),
                        AddedToken("ＢＩＴ", normalized=True, single_word=True), AddedToken("<x>", normalized=False), AddedToken("<x", normalized=False), AddedToken("x>", normalized=True)])
        tok.save(str(out / f"odd_{name}.json"))
    base("nfkc", normalizers.Sequence([normalizers.NFKC(), normalizers.Strip()]), pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="first")]))
    base("nmt", normalizers.Sequence([normalizers.Nmt(), normalizers.NFD(), normalizers.Replace("aa", "b"), normalizers.Replace(tokenizers.Regex(r"\s+"), " ")]), pre_tokenizers.Metaspace(prepend_scheme="first", split=False))
    base("prepend", normalizers.Sequence([normalizers.Prepend("▁"), normalizers.NFKD(), normalizers.Replace(tokenizers.Regex("b"), "a"), normalizers.NFC()]), pre_tokenizers.Metaspace(prepend_scheme="never"), post=False)
    base("plain", None, None)
    umt5 = Tokenizer.from_file(str(out / "umt5/tokenizer.json"))
    base("first", normalizers.Sequence([umt5.normalizer[0]]), pre_tokenizers.Metaspace(prepend_scheme="first"))


def ids_of(encode, texts):
    return [list(encode(t)) for t in texts]


def tokenizer_vectors(out):
    make_t5(out)
    make_umt5(out)
    make_odd(out)
    texts = TEXTS + random_texts(220, 5)
    sets = []
    for path in ["t5", "t5_spiece", "umt5", "practice"]:
        folder = ROOT / "resources/practice/video/tokenizer" if path == "practice" else out / path
        tok = T5TokenizerFast.from_pretrained(folder)
        padded = [[n, tok(t, padding="max_length", max_length=n, truncation=True).input_ids] for t, n in zip(texts[:60], [4, 8, 12, 32] * 15)]
        sets.append({"kind": "folder", "path": path, "vocab_size": len(tok), "ids": ids_of(lambda t: tok(t).input_ids, texts), "padded": padded,
                     "decoded": [tok.decode(tok(t).input_ids, skip_special_tokens=True) for t in texts[:40]]})
    for path in ["t5/tokenizer.json", "umt5/tokenizer.json", "odd_nfkc.json", "odd_nmt.json", "odd_prepend.json", "odd_plain.json", "odd_first.json"]:
        tok = Tokenizer.from_file(str(out / path))
        tok.no_padding()
        tok.no_truncation()
        sets.append({"kind": "file", "path": path, "vocab_size": tok.get_vocab_size(), "ids": ids_of(lambda t: tok.encode(t).ids, texts)})
    (out / "tokenizer_vectors.json").write_text(json.dumps({"texts": texts, "sets": sets}, separators=(",", ":")))


PROMPTS = [
    "", " ", "\n\n", "a plain prompt", "  two  spaces \t and\ttabs\nand lines\r\nof all\rkinds\u2028here\u2029there\x85now ", "“curly” ‘quotes’ ‚low‘ „low“ ‛rev‟ ʼn ŉ",
    "ﬁne ﬂow oﬃce waﬄe ﬀ ﬅ ﬆ Ĳ ĳ Ǆ ǅ ǆ Ǉ ǈ ǉ Ǌ ǋ ǌ Ǳ ǲ ǳ æ œ ß", "ＦＵＬＬ　ＷＩＤＴＨ　１２３！＂＇～｟｠￠￡￢￣￤￥￦", "ﾊﾝｶｸ ｶﾞ ﾊﾟ ﾀﾞ ﾞ ﾟ ｡｢｣､･ ￨￩￪￫￬￭￮ ﾡﾢ ￂￃ ﾠ",
    "\ufeffBOM and\ufeffmore", "control \x00\x01\x07\x08\x0b\x0c\x0e\x1a\x1b\x1f\x7f chars", "\u206a\u206f\ufff9\ufffa\ufffb\ufffc kept \u200b\u200d\u200e\u202a", "\x1b[36;44mblue\x1b[0m text \x1b[1 x \x1b[",
    "e\u0301te\u0301 n\u0303 a\u030a \u1100\u1161\u11a8 \u2126 \u212b", "été café ñ å ö ÀÉÎÕÜ", "Ã©tÃ©", "cafÃ© au lait", "sÃ³ um dia", "schÃ¶n und groÃŸ", "voilÃ  le travail", "Ã la mode", "Ã  la mode", "Ãs vezes Ãquela hora",
    "â€œquotedâ€\x9d itâ€™s â€“ dash â€” em â€¦", "â€œlossyâ€� quote", "ItÃ¢â‚¬â„¢s double", "ÃƒÂ©tÃƒÂ©", "ÃƒÆ’Ã‚Â©", "lâ€™hÃ´tel et lâ€™Ã©tÃ©, Ã§a va trÃ¨s bien", "Ð¿Ñ€Ð¸Ð²ÐµÑ‚ Ð¼Ð¸Ñ€", "РїСЂРёРІРµС‚", "Ã¤Â¸Â­Ã¦â€“â€¡", "ä¸\xadæ–‡", "æ—¥æœ¬èªž", "ì•ˆë…•",
    "âœ” No problems", "ã\x83\x84", "&macr;\\_(ã\x83\x84)_/&macr;", "ðŸ˜€ smile ðŸ\x8f½", "Ù…Ø±Ø\xadØ¨Ø§", "×©×œ×•×\x9d", "à¤¨à¤®à¤¸à¥\x8dà¤¤à¥‡", "Å koda Å¡koda", "Ä\x8deÅ¡tina", "ÅĽadne", "Ĺ‚Ăłdka", "ÃƑÂ©", "Ð", "√© √± ‚Äôs ‚Äú mac", "ÔÇÿ cp437 ├⌐", "Γ€™ greek ΞΟ",
    "the price is €5 – or £3", "naïve façade — déjà vu", "Ångström Å is a word Ä", "Ñandú Â¿quÃ©?", "Â¡Hola! Â© 2020 Â®", "x Â y", "Â nothing", "Ã nothing", "a Â  b", "©®™ ½ ² µ ± ÷ ×", "¯\\_(ツ)_/¯", "ヽ(ﾟДﾟ)ノ ( ͡° ͜ʖ ͡°) (ò_óˇ)", "┌─┐│└┘ ▀▄█", "ÒÓÔ òóô",
    "broken\ufffdchar Ã\ufffd", "\ufffd", "Ã", "Â", "â€", "â", "caf\xe9 \x92smart\x92 \x93c1\x94", "\x80\x85\x99", "C1 \x81\x8d", "IV\x96 \u0161 \x8a",
    "&amp;", "&lt;b&gt;", "a &amp;amp; b", "&amp;amp;amp;amp; deep", "&quot;x&quot; &apos;y&apos; &#39;z&#39; &#x27;w&#X27;", "&nbsp;space&nbsp;", "&eacute;t&Eacute; &EACUTE; &NTILDE;O &SZLIG; &nTILDE;", "&hellip; &ldquo;q&rdquo; &mdash; &copy; &COPY;", "AT&T R&D Q&A", "this&not that &notit; &notin; &ampersand &amp &lt &gt &copy2020",
    "&#0; &#13; &#128; &#129; &#150; &#55296; &#1114111; &#1114112; &#99999999999999999999; &#xFFFE; &#11; &#12; &#127;", "&#; &#x; &#xZZ; &; & &a &unknown; &Jscr;ohn &HilbertSpace; &checkmark; &acE; &NotEqualTilde;", "<tag attr=\"&amp;\"> &eacute;", "line &eacute;\n<b>\nline &eacute; &amp;eacute;",
    "&lt;div&gt; &amp;lt; &amp;amp;lt;", "&#38;amp; &#x26;lt;", "&#60;&#62;", "&eacute", "&CounterClockwiseContourIntegral; &CounterClockwiseContourIntegralXX;", "&" + "a" * 40 + ";", "&#" + "1" * 30 + ";", "&Aacute;&AACUTE;&aacute;&FRAC12;&frac12;&LT;&AMP;&QUOT;&GT",
    "\u00a0nbsp\u00a0 \u2003em \u3000 ideographic \u1680 \u202f \u205f", "soft\u00adhyphen", "İstanbul ığşçö", "Zażółć gęślą jaźń", "Příliš žluťoučký kůň", "ΑΒΓ αβγ Ελλάδα", "Привет, как дела? Ёж", "ВГРС", "مرحبا", "שלום", "สวัสดี", "नमस्ते", "日本語、中文。", "한글", "emoji 😀 👩‍👩‍👧‍👦 🇩🇪 ❤️",
    "A cinematic shot of a fox, 35mm film, golden hour", "(masterpiece:1.2), [blurry] {x|y} <lora:foo:0.8>", "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量", "Lâ€™Ã‰tÃ© ” mixed “ quotes", "100 % Ã— 3 Â± 2 Âµm Â½", "5Â°C and 3Â²",
]


def mangled_prompts(count, seed):
    """Good texts decoded wrongly once or more, whole or in part, and with lost bytes."""
    import ftfy.bad_codecs
    ftfy.bad_codecs.ok()
    rng = random.Random(seed)
    good = [line for line in CORPUS.splitlines()] + ["“smart” – it’s … €5", "naïve café", "čeština žluťoučký", "Ελληνικά και άλλα", "ا لعربية", "नमस्ते दुनिया", "😀 émoji 👍", "à la carte, ça", "Łódź", "ışık", "¿Qué? ¡Sí!"]
    pages = ["latin-1", "sloppy-windows-1252", "sloppy-windows-1251", "sloppy-windows-1250", "sloppy-windows-1253", "sloppy-windows-1254", "sloppy-windows-1257", "iso-8859-2", "macroman", "cp437"]
    out = []
    while len(out) < count:
        text = rng.choice(good)
        words = text.split(" ")
        begin = rng.randrange(len(words))
        part = " ".join(words[begin: begin + rng.randint(1, 6)])
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            part = part.encode().decode(rng.choice(pages[:2] * 4 + pages), errors="replace")
        if rng.random() < 0.3:
            part = part.replace("\xa0", " ")
        if rng.random() < 0.2:
            spot = rng.randrange(len(part) + 1)
            part = part[:spot] + rng.choice(["\ufffd", "?", " ", "\x1a", "&eacute;", "é"]) + part[spot + rng.choice([0, 1]):]
        out.append(rng.choice(["", "plain words ", "été ", "“x” "]) + part + rng.choice(["", " and more", " …", " ñ"]))
    return out


def random_neighbours(count, seed):
    """Characters of the kinds that the mojibake rules look at, next to each other."""
    rng = random.Random(seed)
    pool = [chr(c) for c in range(0x80, 0x180)] + list("aZ .,?!'\"&;#") + [chr(c) for c in list(range(0x390, 0x3d0)) + list(range(0x400, 0x460)) + list(range(0x2010, 0x2040))] + list("€™œŒŸŽžŠšƒˆ˜‚Äâó√≈∂†≠®´≤≥∞∏π∑∫Ωﬁﬂ◊\uf8ff│┌═╬▀█№\ufffd ")
    return ["".join(rng.choice(pool) for _ in range(rng.choice([2, 3, 4, 8, 30]))) for _ in range(count)]


def prompt_clean(text):
    """What diffusers' Wan pipeline does."""
    text = html.unescape(html.unescape(ftfy.fix_text(text))).strip()
    return re.sub(r"\s+", " ", text).strip()


def prompt_vectors(out):
    prompts = PROMPTS + mangled_prompts(220, 7) + random_neighbours(160, 8) + random_texts(60, 9)
    cases = [[t, prompt_clean(t)] for t in prompts]
    (out / "prompt_cleaning_vectors.json").write_text(json.dumps(cases, ensure_ascii=True, separators=(",", ":")))


def main():
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests/data/text"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    tokenizer_vectors(out)
    prompt_vectors(out)
    for path in sorted(out.rglob("*")):
        if path.is_file():
            print(f"{path.stat().st_size:8d} {path.relative_to(out)}")


if __name__ == "__main__":
    main()
