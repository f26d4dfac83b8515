from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.contracts.corpus import SIGNALS
from pipelines import quality
from pipelines.quality import c4
from pipelines.quality.batch import Batch, blocks
from pipelines.quality.registry import RULES
from pipelines.quality.rule import signal_name

PROSE = (
    "The river carries water past the castle, and it has done so for a thousand years. In spring the snow of the "
    "mountains melts and the river rises above its banks. The people of the town know this and they build on hills. "
    "Every summer a boat brings traders with cloth and salt from the sea. They are to be home by the first frost."
)
OTHER = (
    "When autumn comes, most boats lie in the harbour below the old walls. Some of them will be mended, others sold. "
    "That is how things have been since the bridge was built."
)
GREEK = "Το ποτάμι κυλά κάτω από το κάστρο και την πόλη εδώ και χίλια χρόνια, και οι άνθρωποι το γνωρίζουν καλά."
JAPANESE = "川は城と古い町のそばを千年のあいだ流れてきた。春になると山の雪がとけて水かさが増す。"


def figure(text: str, reason: str, *, lang: str = "en") -> float:
    rule = RULES[reason]
    assert isinstance(rule, quality.Rule)
    return float(rule.signal(Batch(pl.Series([text]), pl.Series([lang])))[0])


def verdict(text: str, reason: str, *, lang: str = "en") -> str | None:
    """The reason that one rule alone finds at its published threshold."""
    rule = RULES[reason]
    assert isinstance(rule, quality.Rule)
    frame = pl.DataFrame({"text": [text], "lang": [lang]})
    found: str | None = quality.judge(quality.measure(frame, [rule]), frame["lang"], [rule])["reason"][0]
    return found


@pytest.mark.parametrize(
    ("reason", "text", "value"),
    [
        ("too_few_words", "One, two; three!", 3.0),
        ("words_too_short", "ab abcd .", 3.0),
        ("too_many_hashes", "a # b #", 0.5),
        ("too_many_ellipses", "a ... b …", 0.5),
        ("too_many_bullet_lines", "- a\n\n• b\nc\nd", 0.5),
        ("too_many_ellipsis_lines", "more...\nless…\nend.\nend", 0.5),
        ("too_few_alphabetic_words", "one 2 three , four", 0.6),
        ("too_few_words_with_letters", "one 2 three , four", 0.75),
        ("too_few_stop_words", "The cat and THE dog of it", 3.0),
        ("stop_words_too_rare", "the cat and a dog " * 10, 0.6),
        ("too_many_duplicate_lines", "a\nb\na\na", 0.5),
        ("too_many_duplicate_line_chars", "aa\nbb\naa", 0.25),
        ("too_many_duplicate_paragraphs", "a\nb\n\na\nb\n\nc\n\nd", 0.25),
        ("too_many_duplicate_paragraph_chars", "aaaa\n\naaaa", 0.4),
        ("top_2gram_too_frequent", "ab cd ab cd", 10 / 11),
        ("top_2gram_too_frequent", "ab cd ef", 5 / 8),
        ("too_many_repeated_pairs", "ab cd ef", 0.0),
        ("too_many_duplicate_5grams", "a b c d e a b c d e", 5 / 19),
        ("too_few_unique_words", "ab AB cd ef .", 0.75),
        ("too_few_sentences", "One. Two? Three\nfour", 4.0),
        ("lorem_ipsum_found", "Lorem IPSUM dolor", 1.0),
        ("curly_bracket_found", "f() { return {} }", 2.0),
        ("too_few_terminal_lines", "One.\nTwo?\nthree\n道。", 0.75),
        ("too_many_short_lines", "short\n" + "x" * 31, 0.5),
        ("too_many_repeated_line_chars", "aa\nbb\naa", 1 / 3),
        ("too_many_line_ends", "a b\nc d", 0.25),
        ("too_few_characters", "道。", 2.0),
    ],
)
def test_signal_has_the_value_counted_by_hand(reason: str, text: str, value: float) -> None:
    assert figure(text, reason) == pytest.approx(value)


GOOD = f"{PROSE}\n\n{OTHER}"
WORDS = " ".join(PROSE.split()[:40])
PARAGRAPH = "A line that stands here twice. And it is long enough to weigh."
FIRES = {
    "too_few_words": "too short",
    "too_many_words": "word " * 100_001,
    "words_too_short": "a b cd " * 20,
    "words_far_too_short": "a b cd " * 20,
    "words_far_too_long": "incomprehensibilities characteristically " * 20,
    "words_too_long": "incomprehensibilities characteristically " * 20,
    "too_many_hashes": f"{PROSE} {'#' * 40}",
    "too_many_ellipses": f"{PROSE} {'and ... so ... on ... ' * 10}",
    "too_many_bullet_lines": "\n".join(f"- {word}" for word in PROSE.split()),
    "too_many_ellipsis_lines": "\n".join(f"{word} ..." for word in PROSE.split()),
    "too_few_alphabetic_words": "12 34 words 56 " * 9,
    "too_few_words_with_letters": "12 34 words 56 " * 9,
    "too_few_stop_words": "zorb quux " * 30,
    "stop_words_too_rare": "zorb quux " * 30,
    "too_few_unique_words": "word " * 100,
    "too_many_repeated_pairs": "buy pills " * 20,
    "too_many_duplicate_paragraphs": "\n\n".join(["a", "a", "a", PROSE]),
    "too_many_duplicate_paragraph_chars": "\n\n".join([PARAGRAPH] * 3),
    "too_many_duplicate_lines": "\n".join(["a"] * 3 + [PROSE]),
    "too_many_duplicate_line_chars": "\n".join([PARAGRAPH] * 3),
    **{f"top_{n}gram_too_frequent": "buy my cheap pills " * 9 for n in (2, 3, 4)},
    **{f"too_many_duplicate_{n}grams": f"{WORDS} {WORDS}" for n in range(5, 11)},
    "lorem_ipsum_found": f"{PROSE} Lorem ipsum dolor.",
    "curly_bracket_found": f"{PROSE} {{ }}",
    "too_few_sentences": "One. Two. Three. Four.",
    "too_few_terminal_lines": "\n".join(["no end"] * 9 + ["end."]),
    "too_many_short_lines": "\n".join(["short"] * 7 + [PROSE] * 3),
    "too_many_repeated_line_chars": f"{PROSE}\n{PARAGRAPH}\n{PARAGRAPH}",
    "too_many_line_ends": "a list\n" * 20,
}
GREEK_RUNS = (0.174, 0.163, 0.153, 0.142, 0.13, 0.119)
DOCUMENT_RULES = [name for name, rule in RULES.items() if isinstance(rule, quality.Rule)]


@pytest.mark.parametrize("reason", sorted(set(DOCUMENT_RULES) - {"too_few_characters"}))
def test_rule_fires_where_it_should_and_passes_prose(reason: str) -> None:
    assert verdict(FIRES[reason], reason) == reason
    assert verdict(GOOD, reason) is None


def test_short_text_without_blanks_is_told_by_its_characters() -> None:
    assert verdict("川は流れる。", "too_few_characters", lang="ja") == "too_few_characters"
    assert verdict(JAPANESE, "too_few_characters", lang="ja") is None
    assert verdict("It is.", "too_few_characters") is None


def test_bad_words_are_whole_words_in_any_capitals() -> None:
    rule = c4.bad_words(["heck", "bad phrase"])
    texts = ["Oh HECK, no", "a Bad phrase.", "heckle the badphrase", ""]
    frame = pl.DataFrame({"text": texts, "lang": ["en"] * 4})
    found = quality.judge(quality.measure(frame, [rule]), frame["lang"], [rule])
    assert found["reason"].to_list() == ["bad_word_found", "bad_word_found", None, None]


def test_detail_tells_the_figure_and_the_threshold() -> None:
    _, rules = quality.chosen("web")
    frame = pl.DataFrame({"text": ["Five. Short. Sentences. Are. Here."], "lang": ["en"]})
    found = quality.judge(quality.measure(frame, rules), frame["lang"], rules)
    assert found.row(0) == ("too_few_words", "n_words is 5, below 50")


def test_a_figure_equal_to_its_threshold_passes() -> None:
    line = "A line of text that ends in a full stop.\n"
    text = "".join(line.replace("A", letter) for letter in "BCDEFGH") + "a\na\na\na"
    assert figure(text, "too_many_duplicate_lines") == pytest.approx(3 / 11)
    assert verdict("\n".join([*"abcdefg", *"aaa"]), "too_many_duplicate_lines") is None


@pytest.mark.parametrize("reason", sorted(DOCUMENT_RULES))
def test_rules_name_their_source_and_a_signal_of_the_contract(reason: str) -> None:
    rule = RULES[reason]
    assert isinstance(rule, quality.Rule)
    assert rule.cites
    assert signal_name(rule) in SIGNALS
    assert rule.signal.__doc__ or signal_name(rule).endswith("gram_ratio")


BY_BLANKS = ("too_many_words", "too_many_hashes", "too_many_ellipses", "words_far_too_short", "words_far_too_long")
BY_BLANKS += ("too_few_words", "too_few_words_with_letters", "too_few_unique_words", "too_many_repeated_pairs")


@pytest.mark.parametrize("reason", BY_BLANKS)
def test_what_counts_words_by_blanks_is_asked_of_languages_with_blanks(reason: str) -> None:
    assert [verdict(FIRES[reason], reason, lang=lang) for lang in ("el", "lb")] == [reason] * 2
    assert [verdict(FIRES[reason], reason, lang=lang) for lang in ("ja", "th")] == [None] * 2


def test_function_words_are_asked_of_languages_whose_words_are_known() -> None:
    for reason in ("stop_words_too_rare", "too_few_stop_words"):
        assert [verdict(FIRES[reason], reason, lang=lang) for lang in ("el", "lb")] == [reason, None]


@pytest.mark.parametrize(
    ("reason", "lang", "most"),
    [
        ("top_2gram_too_frequent", "el", 0.194),
        ("top_3gram_too_frequent", "uk", 0.108),
        ("top_4gram_too_frequent", "ru", 0.146),
        *((f"too_many_duplicate_{n}grams", "el", most) for n, most in zip(range(5, 11), GREEK_RUNS, strict=True)),
    ],
)
def test_runs_have_the_thresholds_that_were_published_for_the_language(reason: str, lang: str, most: float) -> None:
    rule = RULES[reason]
    assert isinstance(rule, quality.Rule)
    signals = pl.DataFrame({signal_name(rule): [most, most + 0.0005]})
    found = quality.judge(signals, pl.Series([lang, lang]), [rule])["reason"].to_list()
    assert found == [None, reason]


def broken(text: str, lang: str, recipe: str = "web") -> set[str]:
    """All rules of a recipe that a text of a language breaks."""
    _, rules = quality.chosen(recipe)
    frame = pl.DataFrame({"text": [text], "lang": [lang]})
    signals = quality.measure(frame, rules)
    return {rule.reason for rule in rules if quality.judge(signals, frame["lang"], [rule])["reason"][0]}


LETTER = f"""{GREEK}
Ποιος θυμάται σήμερα τα παλιά καράβια;
Τον χειμώνα τα καράβια μένουν στο λιμάνι, κάτω από τα τείχη
Την άνοιξη λιώνουν τα χιόνια στα βουνά και το νερό ανεβαίνει ως τις αυλές. Κανείς δεν φοβάται.
Κάθε καλοκαίρι έρχονται έμποροι με αλάτι και υφάσματα"""
ENGLISH_ALONE = {
    "too_few_alphabetic_words": "12 34 words 56 " * 9,
    "too_few_sentences": "One. Two. Three. Four.",
    "too_many_short_lines": "\n".join(["short"] * 7 + [PROSE] * 3),
}
MEASURED = {
    "words_too_long": "incomprehensibilities characteristically " * 20,
    "words_too_short": "a b " * 20,
    "too_few_terminal_lines": "\n".join(["no end"] * 20),
    "too_many_line_ends": "a list\n" * 20,
    **{f"top_{n}gram_too_frequent": "buy my cheap pills " * 9 for n in (2, 3, 4)},
    **{f"too_many_duplicate_{n}grams": f"{WORDS} {WORDS}" for n in range(5, 11)},
}


@pytest.mark.parametrize("reason", sorted(ENGLISH_ALONE))
@pytest.mark.parametrize("lang", ["el", "ja", "de", "lb", "und"])
def test_thresholds_of_english_alone_are_asked_of_nothing_else(reason: str, lang: str) -> None:
    assert verdict(ENGLISH_ALONE[reason], reason, lang="en") == reason
    assert verdict(ENGLISH_ALONE[reason], reason, lang=lang) is None


@pytest.mark.parametrize("reason", sorted(MEASURED))
def test_thresholds_by_language_are_asked_of_the_languages_that_have_one(reason: str) -> None:
    assert [verdict(MEASURED[reason], reason, lang=lang) for lang in ("en", "el", "uk")] == [reason] * 3
    assert [verdict(MEASURED[reason], reason, lang=lang) for lang in ("ja", "zh", "th", "lb", "und")] == [None] * 5


@pytest.mark.parametrize(
    ("reason", "text", "passes", "fails"),
    [
        ("words_too_long", "zwölfbuchstab " * 9, "de", "en"),  # 13 letters a word
        ("words_too_short", "uno dos tres " * 9, "fr", "es"),  # 3.3
        ("too_few_terminal_lines", "\n".join([*["Ein Satz."] * 1, *["kein Satz"] * 9]), "de", "uk"),  # 0.1
        ("too_many_line_ends", "uno dos tres cuatro cinco\n" * 9 + "fin", "pt", "el"),  # 0.2
        (
            "too_many_repeated_line_chars",
            "\n".join([*(f"{PROSE} {i}" for i in range(3)), "a twice " * 6, "a twice " * 6]),
            "el",
            "en",
        ),
        ("too_many_duplicate_lines", "\n".join([*"abcdefgh", *"aaaa"]), "he", "en"),  # 0.33
        ("top_2gram_too_frequent", "uno dos tres cuatro cinco seis siete ocho uno dos", "da", "es"),  # 0.3
    ],
)
def test_thresholds_differ_by_language(reason: str, text: str, passes: str, fails: str) -> None:
    assert verdict(text, reason, lang=passes) is None
    assert verdict(text, reason, lang=fails) == reason


def test_web_recipe_keeps_greek_and_japanese_that_english_thresholds_would_refuse() -> None:
    assert broken(LETTER, "el") == set()
    assert broken(LETTER, "en") >= {"too_few_stop_words"}
    assert broken(JAPANESE, "ja") == set()
    assert broken(JAPANESE, "en") >= {"too_few_words", "words_too_long", "too_few_sentences"}


def test_web_recipe_refuses_junk_in_every_language() -> None:
    for lang in ("el", "lb", "und"):
        assert "too_many_repeated_pairs" in broken("buy pills " * 60, lang)
        assert "too_few_words" in broken("buy pills", lang)
        assert "words_far_too_long" in broken("incomprehensibilities " * 60, lang)
    assert "too_few_characters" in broken("川。", "ja")
    assert "too_many_duplicate_lines" in broken("川は流れる。\n" * 9, "ja")


def test_a_threshold_that_is_set_holds_for_every_language() -> None:
    _, rules = quality.chosen("web", thresholds={"words_too_long": 12})
    rule = next(rule for rule in rules if rule.reason == "words_too_long")
    assert {rule.threshold(lang) for lang in ("en", "de", "el")} == {12}


def test_detail_tells_the_threshold_of_the_language() -> None:
    frame = pl.DataFrame({"text": ["incomprehensibility " * 60] * 2, "lang": ["en", "de"]})
    rule = RULES["words_too_long"]
    assert isinstance(rule, quality.Rule)
    found = quality.judge(quality.measure(frame, [rule]), frame["lang"], [rule])
    assert found["detail"].to_list() == ["mean_word_length is 19, above 10", "mean_word_length is 19, above 15"]


def test_a_rule_judges_no_language_but_its_own_though_another_rule_measured_it() -> None:
    rule = RULES["too_few_alphabetic_words"]
    assert isinstance(rule, quality.Rule)
    signals, langs = pl.DataFrame({"alphabetic_ratio": [0.1, 0.1]}), pl.Series(["en", "de"])
    assert quality.judge(signals, langs, [rule])["reason"].to_list() == [rule.reason, None]


def test_stop_words_are_those_of_the_language() -> None:
    german = "Der Fluss und die Burg stehen in dem alten Tal"
    assert figure(german, "too_few_stop_words", lang="de") > 2
    assert verdict(german, "too_few_stop_words", lang="en") == "too_few_stop_words"


def articles(text: str, lang: str) -> str | None:
    """The reason that the recipe for articles finds."""
    _, rules = quality.chosen("wikipedia")
    frame = pl.DataFrame({"text": [text], "lang": [lang]})
    found: str | None = quality.judge(quality.measure(frame, rules), frame["lang"], rules)["reason"][0]
    return found


EVENTS = "1800 — перша залізниця у місті.\n" + "1801 — Ольга Коваль, українська художниця.\n" * 3
EVENTS += "".join(f"{year} — Марія Бондар, письменниця, перекладачка.\n" for year in range(1802, 1812))
SUBSPECIES = "The wild cat is a small animal of Europe, Asia and Africa. It is seldom seen by day.\n" + "".join(
    f"Felis silvestris {name}\n" for name in ("a", "bo", "ca", "du", "ex")
)
LINKED = f"{PROSE[:52]}\n" + "\n".join(f"https://example.org/archive/{name}/island/index.html" for name in "abc")
PLOT = f"{PROSE}\nNobody knows what the stranger in the harbour wants...\nIt was filmed in one summer."
TABLE = "\n".join(f"{i} | alpha{i} | beta{i} | gamma{i} | delta{i}" for i in range(20))


@pytest.mark.parametrize(
    ("good", "junk", "lang", "reason"),
    [
        (EVENTS, TABLE.replace("|", "xx"), "uk", "stop_words_too_rare"),
        (SUBSPECIES, "buy now " * 30, "en", "too_many_repeated_pairs"),
        (LINKED, "https://example.org/archive/island/index\n" * 20, "en", "words_far_too_long"),
        (PLOT, "Read what the mayor of the town has said about it...\n" * 3 + OTHER, "en", "too_many_ellipsis_lines"),
    ],
)
def test_articles_of_lists_links_and_plots_are_kept_and_junk_is_not(
    good: str, junk: str, lang: str, reason: str
) -> None:
    assert articles(good, lang) is None
    assert articles(junk, lang) == reason


def test_a_sentence_says_too_little_about_function_words() -> None:
    sentence = "Smith (born 1950), American politician, Democrat, Ohio, born 1950 Cleveland."
    frame = pl.DataFrame({"text": [sentence, f"{sentence} " * 6], "lang": ["en", "en"]})
    rule = RULES["stop_words_too_rare"]
    assert isinstance(rule, quality.Rule)
    signals = quality.measure(frame, [rule])
    assert signals.to_series().to_list() == [None, 0.0]
    assert quality.judge(signals, frame["lang"], [rule])["reason"].to_list() == [None, "stop_words_too_rare"]


def test_signals_that_no_rule_asks_for_are_null() -> None:
    frame = pl.DataFrame({"text": [PROSE, JAPANESE], "lang": ["en", "ja"]})
    rules = [rule for rule in RULES.values() if isinstance(rule, quality.Rule) and rule.reason == "words_too_long"]
    made = quality.as_struct(quality.measure(frame, rules)).struct.unnest()
    assert made["mean_word_length"].is_null().to_list() == [False, True]
    assert made["hash_ratio"].null_count() == 2
    assert set(made.dtypes) == {pl.Float32}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([PROSE, GREEK, JAPANESE, "", " \n", "a\na", "# {"]), max_size=6))
def test_neighbours_in_a_batch_change_nothing(texts: list[str]) -> None:
    _, rules = quality.chosen("web")
    langs = ["ja" if text == JAPANESE else "el" if text == GREEK else "en" for text in texts]
    frame = pl.DataFrame({"text": texts, "lang": langs}, schema={"text": pl.String, "lang": pl.String})
    together = quality.measure(frame, rules)
    for row in range(frame.height):
        alone = quality.measure(frame[row], rules)
        for name in alone.columns:
            assert together[name][row] == alone[name][0]


def test_blocks_hold_every_row_and_few_characters() -> None:
    frame = pl.DataFrame({"text": ["aaaa", "aaaa", "a" * 20, "", "a"]})
    made = list(blocks(frame, 8))
    assert pl.concat(made).equals(frame)
    assert [block.height for block in made] == [2, 1, 2]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), max_size=12))
def test_different_words_are_counted_alike_in_a_table_and_by_hashing(pairs: list[tuple[int, int]]) -> None:
    docs, ids = (np.array([pair[i] for pair in sorted(pairs)], dtype=np.int64) for i in range(2))
    made = Batch(pl.Series(["a", "b", "c"]), pl.Series(["en"] * 3))
    wanted = [float(len({pair for pair in pairs if pair[0] == doc})) for doc in range(3)]
    assert made.distinct(docs, ids, 5).tolist() == wanted
    assert made.distinct(docs, ids, 1 << 23).tolist() == wanted
