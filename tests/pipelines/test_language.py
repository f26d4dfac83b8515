from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import ConfigError
from pipelines.language import LanguageConfig, bayes, close, codes, compact, identify
from pipelines.language.codes import iso

ENGLISH = "The river carries water past the castle and the old town. "
FRENCH = "La rivière porte l'eau devant le château et la vieille ville. "
CROATIAN = "Tko je tijekom siječnja pisao o povijesti glazbe na sveučilištu u Europi? Vlakom smo putovali tjedan dana. "
BOSNIAN = "U januaru je hiljadu ljudi čitalo o historiji muzike, a poslije sedmice dana vidjeli su i univerzitet. "
SERBIAN = "U januaru je hiljadu ljudi čitalo o istoriji muzike, a posle nedelju dana videli su reku i mesto. "
INDONESIAN = "Polisi mengatakan bahwa kantor itu tutup karena libur di bulan Agustus dan Desember. "
MALAY = "Polis berkata bahawa universiti itu ditutup kerana cuti pada bulan Ogos dan Disember. "


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH, "en"),
        (ENGLISH.upper(), "en"),
        ("Der Fluss führt Wasser an der Burg und der alten Stadt vorbei.", "de"),
        ("Ріка несе воду повз замок і старе місто.", "uk"),
        ("यह नदी किले के पास से बहती है और शहर को पानी देती है।", "hi"),
        ("Kei te rere te awa i te taha o te whare kōrero, ā, ka inu ngā tāngata.", "mi"),
        ("Elven renner forbi slottet, og jeg vet ikke hva de gjør der om natten.", "nb"),
        ("Elva renn forbi slottet, og eg veit ikkje kva dei gjer der om natta.", "nn"),
        ("Řeka teče kolem hradu a starého města, které je velmi krásné.", "cs"),
        ("Rieka tečie okolo hradu a starého mesta, ktoré je veľmi krásne.", "sk"),
    ],
)
def test_language_is_found_with_a_probability(text: str, language: str) -> None:
    found, probability = identify([text])[0]
    assert found == language
    assert 0.5 < probability <= 1


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("το ποτάμι", "el"),
        ("მდინარე", "ka"),
        ("գետը", "hy"),
        ("แม่น้ำ", "th"),
        ("נהר ליד העיר", "he"),
        ("דער טייך פֿירט וואַסער", "yi"),
        ("강이 흐른다", "ko"),
        ("川が流れる", "ja"),
        ("નદી", "gu"),
        ("ஆறு", "ta"),
        ("河流经过城堡", "zh"),
        ("河流經過城堡", "zh"),
    ],
)
def test_script_tells_the_language_of_a_few_words(text: str, language: str) -> None:
    assert identify([text])[0][0] == language


def test_han_alone_is_chinese_though_a_japanese_name_is_quoted() -> None:
    chinese = "东京是日本的首都，也是世界上人口最多的城市之一，位于关东平原南端。"
    assert identify([chinese])[0][0] == "zh"
    assert identify([chinese + "（とうきょう）"])[0][0] == "zh"
    assert identify(["東京は日本の首都である。世界最大の都市の一つでもある。"])[0][0] == "ja"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (CROATIAN, "hr"),
        (BOSNIAN, "bs"),
        (SERBIAN, "sr"),
        (INDONESIAN, "id"),
        (MALAY, "ms"),
        ("Cijelo ljeto djeca su slušala muziku uz rijeku, u avgustu.", "bs"),
    ],
)
def test_close_languages_are_told_by_their_words(text: str, language: str) -> None:
    assert identify([text])[0][0] == language


def test_close_languages_keep_their_share_together() -> None:
    before = {"hr": 0.5, "sl": 0.3, "bs": 0.2}
    after = close.told_apart("U januaru hiljadu ljudi i dijete.", before)
    assert after["bs"] > after["hr"]
    assert after["sl"] == 0.3
    assert sum(after.values()) == pytest.approx(1)


def test_words_of_close_languages_leave_other_languages_alone() -> None:
    assert close.told_apart("polisi", {"en": 0.9, "ms": 0.1}) == {"en": 0.9, "ms": 0.1}


@pytest.mark.parametrize("group", close._GROUPS)
def test_no_stem_of_a_group_stands_for_two_languages(group: tuple[close.Marks, ...]) -> None:
    stems = [stem for marks in group for stem in marks.stems.split()]
    assert len(stems) == len(set(stems))


@pytest.mark.parametrize("text", ["", "12 34", "!?", "🙂", "\ufffe\ufffe", "https://example.com/the-river"])
def test_text_without_letters_is_undecided(text: str) -> None:
    assert identify([text]) == [("und", 0.0)]


SCRIPT = (
    "function add(a, b) { const c = {x: a, y: b}; return [c.x, c.y].map(v => v + 1); } var t = {}; t[0] = add(1, 2);"
)


@pytest.mark.parametrize("text", [SCRIPT, "<ul><li>first</li><li>second</li></ul>", "ᚠᚢᚦᚨᚱᚲ", "OK", "Xq"])
def test_what_no_language_is_probable_for_is_undecided(text: str) -> None:
    assert identify([text])[0][0] == "und"


def test_prose_about_code_keeps_its_language() -> None:
    assert identify(["Call `f(x)` and the function returns a list [1, 2] of the two numbers."])[0][0] == "en"


def test_least_probability_is_an_option() -> None:
    text = "Hello"
    _, probability = identify([text])[0]
    assert identify([text], config=LanguageConfig(min_probability=probability + 0.01))[0][0] == "und"
    assert identify([text], config=LanguageConfig(min_probability=0.0))[0][0] == "en"


@pytest.mark.parametrize(
    ("options", "name"),
    [({"sample_chars": 3}, "sample_chars"), ({"min_probability": 1.5}, "min_probability")],
)
def test_options_out_of_range_are_named(options: dict[str, float], name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        LanguageConfig(**options)  # type: ignore[arg-type]


def test_score_of_a_mixed_document_is_the_share_of_its_language() -> None:
    language, score = identify([ENGLISH * 15 + FRENCH * 15])[0]
    assert language in {"en", "fr"}
    assert 0.3 < score < 0.7
    assert identify([ENGLISH * 30])[0][1] > 0.9


def test_a_long_text_is_sampled_from_beginning_to_end() -> None:
    assert identify([ENGLISH * 20 + FRENCH * 400])[0][0] == "fr"
    assert identify([FRENCH * 400 + ENGLISH * 20])[0][0] == "fr"


def test_only_a_sample_of_a_long_text_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    detect = compact.evidence
    monkeypatch.setattr(compact, "evidence", lambda sample: read.append(len(sample)) or detect(sample))
    identify([ENGLISH * 20_000, "河流经过城堡。" * 9_999], config=LanguageConfig(sample_chars=400))
    assert read == [403, 203]


def test_naive_bayes_is_asked_only_where_there_is_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.language.bayes.combined", lambda samples, found: [{"xx": 1.0} for _ in samples])
    assert identify([ENGLISH * 10, "το ποτάμι", "Hello"]) == [("en", 0.99), ("el", 1.0), ("xx", 1.0)]


@pytest.mark.parametrize("text", ["The river\x00 carries \x85water \ufffe past the castle.", "\ud800 the old town"])
def test_code_points_that_are_not_for_interchange_do_no_harm(text: str) -> None:
    assert identify([text])[0][0] == "en"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("no", "nb"),
        ("nn", "nn"),
        ("iw", "he"),
        ("zh-Hant", "zh"),
        ("wuu", "zh"),
        ("arz", "ar"),
        ("kik", "ki"),
        ("sr-ME", "sr"),
        ("zxx", "und"),
        ("tlh", "und"),
        ("xx-Runr", "und"),
        ("ceb", "ceb"),
    ],
)
def test_codes_are_iso(said: str, code: str) -> None:
    assert iso(code) == code
    assert iso(said) == code


def test_every_code_that_can_be_said_fits_the_contract() -> None:
    import re

    import pycld2

    codes = {iso(code) for _, code in pycld2.LANGUAGES}
    assert len(codes) > 150
    assert all(re.fullmatch(r"[a-z]{2,3}|und", code) for code in codes)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_text_has_an_answer(text: str) -> None:
    (language, score), again = identify([text, text])
    assert (language, score) == again
    assert language == "und" or language.islower()
    assert 0 <= score <= 1


TEXTS = [ENGLISH, FRENCH, CROATIAN, MALAY, "Hello", "河流", ENGLISH * 40]


def test_threads_and_spawned_processes_find_the_same() -> None:
    expected = identify(TEXTS)
    with ThreadPoolExecutor(4) as threads:
        assert all(found == expected for found in threads.map(identify, [TEXTS] * 8))
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        assert processes.submit(identify, TEXTS).result() == expected


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("no", r"'no' is no code here; Norwegian is told apart as nb \(Bokmål\) and nn \(Nynorsk\)"),
        (False, r"YAML reads a bare `no` as false, and Norwegian is told apart as nb"),
        ("iw", "that language is 'he'"),
        ("EN", "that language is 'en'"),
        ("zh-Hant", "that language is 'zh'"),
        ("ua", "that language is 'uk'"),
        ("xq", r"no text is ever found to be in 'xq'; codes are ISO 639-1"),
    ],
)
def test_code_that_no_text_is_given_is_refused_with_the_right_one(code: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        codes.check_wanted(("en", code))


def test_codes_that_texts_are_given_pass() -> None:
    codes.check_wanted(("nb", "nn", "uk", "ltg", "zh"))


def test_codes_are_all_that_the_detectors_know() -> None:
    import pycld2

    known = {codes.iso(code) for _, code in pycld2.LANGUAGES} | bayes.classifier().known
    assert known - {codes.UNDECIDED} == codes.CODES


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hus\nBåt\nFjell\nElven renner forbi slottet, og folk i byen vet det godt.", "nb"),
        ("Elva renn forbi slottet, og folk i byen veit det godt. Ho kjem ikkje heim, og eg veit ikkje kvifor.", "nn"),
        ("- річка\n- замок\n- місто\n- люди, які знають про це вже багато років", "uk"),
        ("12 34 — 56", "und"),
    ],
)
def test_lists_and_short_texts_of_norwegian_and_others_have_their_codes(text: str, language: str) -> None:
    assert identify([text])[0][0] == language


def test_naive_bayes_adds_up_alike_in_any_order() -> None:
    """BLAS adds in an order of its own on each kind of CPU: whole numbers have the same sum in each."""
    weights = bayes.classifier()._weights
    counts = np.rint(np.log1p(1 + np.arange(0, 3000, 7) % 7) * 2.0**10)
    assert (counts @ weights[0:3000:7]).tolist() == (counts[::-1] @ weights[0:3000:7][::-1]).tolist()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.sampled_from("abcdefg éя川\x00.HI"), max_size=80), max_size=6))
def test_a_text_has_the_same_language_alone_and_among_others(texts: list[str]) -> None:
    assert identify(texts) == [identify([text])[0] for text in texts]


def test_naive_bayes_counts_what_langid_counts() -> None:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier, visit_counts

    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    texts = sorted(
        (text.encode() for text in (ENGLISH, "Der Fluss und die Burg", "", "川は流れる")), key=len, reverse=True
    )
    places, counts, bounds = bayes.classifier().visits(texts)
    for row, text in enumerate(texts):
        wanted = visit_counts(model.tk_nextmove, model._rowbase, model.tk_output, text) or {}
        here = slice(bounds[row], bounds[row + 1])
        assert dict(zip(places[here].tolist(), counts[here].tolist(), strict=True)) == dict(wanted)


@pytest.mark.parametrize(
    ("word", "languages"),
    [
        ("siječanj", {"hr"}),
        ("januar", {"sr"}),
        ("historija", {"bs"}),
        ("rijeka", {"hr", "bs"}),
        ("vek", {"sr"}),
        ("karena", {"id"}),
        ("kerana", {"ms"}),
        ("xyzxyz", {"hr", "bs", "sr"}),
        ("xyzxyz", {"id", "ms"}),
    ],
)
def test_a_word_of_one_list_decides_among_close_languages(word: str, languages: set[str]) -> None:
    group = ("id", "ms") if languages & {"id", "ms"} else ("hr", "bs", "sr")
    found = close.told_apart(word, dict.fromkeys(group, 1 / len(group)))
    assert {code for code in group if found[code] == pytest.approx(max(found.values()))} == languages
