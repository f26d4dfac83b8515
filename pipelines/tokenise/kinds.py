"""The kinds of tokenizers: how each cuts text into pieces, learns from them, and puts tokens together again.

| kind | method | text that comes back |
|---|---|---|
| bpe | byte-level BPE (Sennrich et al. 2016; Radford et al. 2019) | every byte |
| unigram | byte-level Unigram (Kudo 2018) | every byte |
| wordpiece | WordPiece (Schuster & Nakajima 2012; Devlin et al. 2019) | words, single blanks; unknown words are lost |
| words | the most frequent words | words, single blanks; all other words are lost |
| whitespace | the most frequent pieces between blanks, bars apart | pieces, single blanks; all others are lost |
| characters | the most frequent characters | everything but unknown characters |

Pieces are found by a pattern that Oniguruma (the library's engine) and Rust's regex (Polars') understand alike; the
tokens of a text are those of its pieces one after the other, which is what makes encoding fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data.errors import ConfigError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

END_OF_TEXT = "<|endoftext|>"
UNKNOWN = "<|unknown|>"
_BYTES = 256
_SINGLE = r"[\p{Han}\p{Hiragana}]"
_WORD = rf"[\p{{L}}\p{{M}}\p{{N}}&&[^\p{{Han}}\p{{Hiragana}}]]+|{_SINGLE}|[^\s\p{{L}}\p{{M}}\p{{N}}]"
_BYTE_LEVEL = r"'(?:[sdmt]|ll|ve|re)| ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|\s+"
_PATTERNS = {
    "bpe": _BYTE_LEVEL,
    "unigram": _BYTE_LEVEL,
    "wordpiece": _WORD,
    "words": _WORD,
    "whitespace": r"[^\s|]+|\|",
    "characters": r"[\s\S]",
}
KINDS = tuple(_PATTERNS)
BYTE_LEVEL = ("bpe", "unigram")
# The library's other trainers give another result each time.
DETERMINISTIC = ("bpe", "words", "whitespace", "characters")
_LONGEST_PIECE = 16


@dataclass(frozen=True, kw_only=True)
class TokeniserConfig:
    """`vocab_size` is the greatest number of tokens, `min_frequency` how often a pair or word must occur.

    `sample_chars` is how much text is learnt from at the most (a tenth for unigram, whose trainer is so much slower).
    """

    kind: str = "bpe"
    vocab_size: int = 8_000
    min_frequency: int = 2
    sample_chars: int = 20_000_000

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"tokeniser.kind must be one of {', '.join(KINDS)}, not '{self.kind}'")
        smallest = _BYTES + 1 if self.kind in BYTE_LEVEL else 3
        if self.vocab_size < smallest:
            why = ", one token for every byte" if self.kind in BYTE_LEVEL else ""
            raise ConfigError(f"tokeniser.vocab_size must be {smallest} or more{why}, not {self.vocab_size}")
        if self.min_frequency < 1:
            raise ConfigError(f"tokeniser.min_frequency must be 1 or more, not {self.min_frequency}")
        if self.sample_chars < 1:
            raise ConfigError(f"tokeniser.sample_chars must be 1 or more, not {self.sample_chars}")

    @property
    def learnt_chars(self) -> int:
        """How many characters are learnt from at the most."""
        return max(1, self.sample_chars // 10) if self.kind == "unigram" else self.sample_chars


def untrained(kind: str) -> Tokenizer:
    """A tokenizer without a vocabulary."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    made: dict[str, Any] = {
        "bpe": models.BPE(),
        "unigram": models.Unigram(),
        "wordpiece": models.WordPiece(unk_token=UNKNOWN),
    }
    tokenizer = Tokenizer(made.get(kind) or models.WordLevel(unk_token=UNKNOWN))
    pattern = Regex(_PATTERNS[kind])
    if kind in BYTE_LEVEL:
        bytewise = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(pattern, "isolated"), bytewise])
        tokenizer.decoder = decoders.ByteLevel()
    else:
        # Inverted, what does not match is kept, and `removed` is what stands between: the blanks.
        tokenizer.pre_tokenizer = pre_tokenizers.Split(pattern, "removed", invert=True)
        tokenizer.decoder = {"wordpiece": decoders.WordPiece(cleanup=False), "characters": decoders.Fuse()}.get(kind)
    return tokenizer


def trainer(config: TokeniserConfig) -> Any:
    """The library's trainer of a kind; `<|endoftext|>` becomes token 0, `<|unknown|>` token 1 where there is one."""
    from tokenizers import pre_tokenizers, trainers

    specials = [END_OF_TEXT] if config.kind in BYTE_LEVEL else [END_OF_TEXT, UNKNOWN]
    common: dict[str, Any] = {"vocab_size": config.vocab_size, "special_tokens": specials, "show_progress": False}
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    if config.kind == "bpe":
        return trainers.BpeTrainer(min_frequency=config.min_frequency, initial_alphabet=alphabet, **common)
    if config.kind == "unigram":
        return trainers.UnigramTrainer(initial_alphabet=alphabet, max_piece_length=_LONGEST_PIECE, **common)
    if config.kind == "wordpiece":
        limit = max(1, config.vocab_size // 2)
        return trainers.WordPieceTrainer(min_frequency=config.min_frequency, limit_alphabet=limit, **common)
    return trainers.WordLevelTrainer(min_frequency=config.min_frequency, **common)
