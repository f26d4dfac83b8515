from __future__ import annotations

import polars as pl
import pytest

from data.errors import ConfigError
from data.segment import word_count
from pipelines.quality import QualityConfig, detail, reason, signals

PROSE = (
    "The river carries water past the castle, and it has done so for a thousand years. In spring the snow of the "
    "mountains melts and the river rises above its banks. The people of the town know this and build on hills."
)


def judged(text: str, *, lang: str = "en", config: QualityConfig | None = None) -> tuple[str | None, str | None]:
    config = config or QualityConfig()
    frame = pl.DataFrame({"text": [text], "lang": [lang]}).with_columns(n_words=word_count(pl.col("text")))
    row = signals(frame).select(reason(config), detail(config)).row(0)
    return row[0], row[1]


def signal(text: str, name: str, *, lang: str = "en") -> float:
    frame = signals(pl.DataFrame({"text": [text], "lang": [lang]}))
    return float(frame["quality"].struct.field(name)[0])


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("ab abcd", "mean_word_length", 3.0),
        ("a # b ...", "symbol_ratio", 1.0),
        ("one 2 three 4", "alphabetic_ratio", 0.5),
        ("The cat and a dog", "stop_word_ratio", 0.6),
        ("- a\n\n• b\nc\nd", "bullet_line_ratio", 0.5),
        ("more...\nless…\nend.\nend", "ellipsis_line_ratio", 0.5),
        ("One.\nTwo?\n“Three.”\nfour", "terminal_line_ratio", 0.75),
        ("a\nb\n a\na", "duplicate_line_ratio", 0.5),
        ("a\na\nlonger one", "duplicate_line_ratio", 1 / 12),
        ("ab cd ab cd", "top_bigram_ratio", 1.0),
        ("ab cd ef gh", "top_bigram_ratio", 0.0),
        ("ab AB cd ef", "unique_word_ratio", 0.75),
        ("", "mean_word_length", 0.0),
    ],
)
def test_signal_has_the_value_counted_by_hand(text: str, name: str, value: float) -> None:
    assert signal(text, name) == pytest.approx(value)


def test_rows_do_not_mix() -> None:
    both = signals(pl.DataFrame({"text": ["ab cd", "ab cd ef"], "lang": ["en", "de"]}))["quality"].to_list()
    assert both[1] == signals(pl.DataFrame({"text": ["ab cd ef"], "lang": ["de"]}))["quality"].to_list()[0]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (PROSE, None),
        ("too short", "too_few_words"),
        ("abcdefghijklmnop " * 10 + "qrstuvwxyzabcd", "mean_word_length_out_of_range"),
        ("# the ... " * 5 + PROSE[:60], "too_many_symbols"),
        ("12 34 56 78 " * 5, "too_few_alphabetic_words"),
        ("\n".join(f"- {word} is" for word in PROSE.split()), "too_many_bullet_lines"),
        ("\n".join(f"{word} is the..." for word in PROSE.split()), "too_many_symbols"),
        ("\n".join([PROSE] * 2), "too_many_duplicate_lines"),
        ("buy cheap pills " * 20, "too_many_repeated_word_pairs"),
        (" ".join(f"zorb{i} quux{i}" for i in range(20)), "too_few_stop_words"),
    ],
)
def test_reason_names_what_happened(text: str, code: str | None) -> None:
    assert judged(text)[0] == code


def test_detail_gives_the_figure() -> None:
    assert judged("too short") == ("too_few_words", "2.0")
    assert judged(PROSE)[1] is None


def test_ellipsis_lines_count_where_symbols_are_allowed() -> None:
    text = "\n".join(f"{word} is the {i}..." for i, word in enumerate(PROSE.split()))
    assert judged(text, config=QualityConfig(max_symbol_ratio=1.0))[0] == "too_many_ellipsis_lines"


def test_stop_words_count_in_known_languages_only() -> None:
    text = " ".join(f"zorb{chr(97 + i)} quux{chr(97 + i)}" for i in range(20))
    assert judged(text, lang="en")[0] == "too_few_stop_words"
    assert judged(text, lang="eo")[0] is None


def test_word_length_says_nothing_without_blanks() -> None:
    assert judged("河水流过城堡和老城春天山上的雪融化", lang="zh")[0] is None


def test_ratio_outside_zero_and_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="max_symbol_ratio"):
        QualityConfig(max_symbol_ratio=2.0)
