from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import ConfigError
from pipelines.privacy import KINDS, PrivacyConfig, find, find_all, mask, treat
from pipelines.privacy.identity import _FORMS


def masked(text: str) -> str:
    return mask([text])[0][0]


EXAMPLES = {
    "card": ("4111 1111 1111 1111", "4111 1111 1111 1112"),
    "email": ("a@b.org", "a@b"),
    "iban": ("DE89 3704 0044 0532 0130 00", "DE88 3704 0044 0532 0130 00"),
    "ip": ("host 192.168.0.1", "host 192.168.0.256"),
    "national_id": ("social security number 536904399", "536904399"),
    "phone": ("call 212-555-0123", "score 212-555"),
    "url": ("https://h.de/?token=abcdef0123456789abcdef", "https://h.de/?topic=abcdef0123456789abcdef"),
}
"""What each kind finds, and what is so much like it but none."""


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_finds_one_and_leaves_what_is_almost_one(kind: str) -> None:
    found, left = EXAMPLES[kind]
    assert [span[2] for span in find(found)] == [kind]
    assert find(left) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail a.b+c@mail.example.co.uk now", "mail [EMAIL] now"),
        ("write to пошта@приклад.укр.", "write to [EMAIL]."),
        ("请发邮件到zhang@example.com的信箱", "请发邮件到[EMAIL]的信箱"),
        ("<a@b.com>, c@d.org; mailto:e@f.net", "<[EMAIL]>, [EMAIL]; mailto:[EMAIL]"),
        ("host 192.168.0.1.", "host [IP]."),
        ("http://203.0.113.9/index, 10.0.0.0/24 and 10.1.2.3:80", "http://[IP]/index, [IP]/24 and [IP]:80"),
        ("the DNS server 8.8.8.8 answers", "the DNS server [IP] answers"),
        ("host 2001:db8::ff00:42:8329 or fe80::1", "host [IP] or [IP]"),
        ("6e40:4041:c617:e898:c11:40d2:c669:2eb4", "[IP]"),
        ("card 4111 1111 1111 1111", "card [CARD]"),
        ("5500000000000004, 3782 822463 10005 and 6011-1111-1111-1117", "[CARD], [CARD] and [CARD]"),
        ("my credit card is 501800000009", "my credit card is [CARD]"),
        ("信用卡:4222222222222", "信用卡:[CARD]"),
        ("pay DE89 3704 0044 0532 0130 00 and more", "pay [IBAN] and more"),
        ("to GB82WEST12345698765432, fr1420041010050500013m02606", "to [IBAN], [IBAN]"),
        ("账号NO93 8601 1117 947。", "账号[IBAN]。"),
        ("no9386011117947", "[IBAN]"),
        ("gb82west12345698765432", "[IBAN]"),
        ("501800000009 (credit card)", "[CARD] (credit card)"),
    ],
)
def test_addresses_cards_and_accounts_are_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("call +1 (212) 555-0123", "call [PHONE]"),
        ("call 212-555-0123 or (212) 555-0123 x45", "call [PHONE] or [PHONE]"),
        ("+49 (0)30 1234567, +380 44 123 45 67", "[PHONE], [PHONE]"),
        ("001-518-640-0851 or 00 44 20 7946 0958", "[PHONE] or [PHONE]"),
        ("at 03.93.92.16.85, 0494 92 82 32 or 020 7946 0958", "at [PHONE], [PHONE] or [PHONE]"),
        ("打电话010-62345678", "打电话[PHONE]"),
        ("Tel: 7946 0958", "Tel: [PHONE]"),
        ("Phone:\n780 6326\n", "Phone:\n[PHONE]\n"),
        ("Tel. 374 780 163, 374 780 164 or 374 780 165", "Tel. [PHONE], [PHONE] or [PHONE]"),
        ("Телефон: 44-12-34", "Телефон: [PHONE]"),
        ("電話: 2677 7778 傳真 : 2677 7775", "電話: [PHONE] 傳真 : [PHONE]"),
        ("reach me at 9472 7916 or text us on 71-33-52-22", "reach me at [PHONE] or text us on [PHONE]"),
        ("2019 212-555-0123", "2019 [PHONE]"),
        ("212-555-0123 x45", "[PHONE]"),
        ("reach him at 12 345 678", "reach him at [PHONE]"),
        ("781 1704 office\n(37) 788-063-Fax", "[PHONE] office\n[PHONE]-Fax"),
    ],
)
def test_telephone_numbers_are_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "number",
    [
        "536-90-4399",
        "social security number 536904399",
        "AB 12 34 56 C",
        "National Insurance number AB123456C",
        "NHS 943 476 5870",
        "Steuer-ID 36 574 261 809",
        "2 95 10 99 126 111 93",
        "295109912611193",
        "54362315-K",
        "x-2482300-w".upper(),
        "RCCMNL83S18D969H",
        "PESEL 44051401359",
        "BSN 111222333",
        "NIF 123456789",
        "11010519491231002X",
        "390.533.447-05",
        "CPF 39053344705",
        "Aadhaar 2345 6789 0124",
        "PAN ACUPA7085R",
        "880320-0016",
        "personnummer 8803200016",
        "131052-308T",
        "85.07.30-033.28",
        "rijksregisternummer 85073003328",
        "971013-9019902",
        "CPR 211062-5629",
        "fødselsnummer 15108695088",
        "756.9217.0769.85",
        "TC kimlik no 17291716060",
        "SIN 123-456-782",
        "TFN 123 456 782",
        "ID 7503305044089",
        "BOXW310820HNERXN09",
        "12.531.909-2",
        "20-05536168-2",
        "РНОКПП 1759013776",
    ],
)
def test_national_identity_numbers_are_found(number: str) -> None:
    assert [kind for _, _, kind in find(f"He gave {number}.")] == ["national_id"]


@pytest.mark.parametrize("number", ["1 85 05 2A 123 456 33", "7.123.456-8"])
def test_numbers_with_few_digits_in_a_row_are_hinted_at_too(number: str) -> None:
    assert masked(f"He gave {number}.") == "He gave [NATIONAL_ID]."


@pytest.mark.parametrize(
    ("word", "number", "wrong"),
    [
        ("", "536-90-4399", "666-90-4399"),
        ("social security number", "536904399", "536004399"),
        ("", "AB 12 34 56 C", "BG 12 34 56 C"),
        ("National Insurance number", "AB123456C", "AB123456E"),
        ("NHS", "943 476 5870", "943 476 5871"),
        ("Steuer-ID", "36 574 261 809", "36 574 261 800"),
        ("", "2 95 10 99 126 111 93", "2 95 10 99 126 111 90"),
        ("NIR", "100017505600143", "100017505600142"),
        ("", "54362315-K", "54362315-A"),
        ("", "X-2482300-W", "X-2482300-A"),
        ("", "RCCMNL83S18D969H", "RCCMNL83S18D969A"),
        ("PESEL", "44051401359", "44051401350"),
        ("BSN", "111222333", "111222330"),
        ("NIF", "123456789", "123456780"),
        ("", "11010519491231002X", "110105194912310021"),
        ("", "390.533.447-05", "390.533.447-00"),
        ("CPF", "39053344705", "39053344700"),
        ("Aadhaar", "2345 6789 0124", "2345 6789 0120"),
        ("PAN", "ACUPA7085R", "ACUPA0000R"),
        ("", "880320-0016", "880320-0010"),
        ("personnummer", "8803200016", "8803200010"),
        ("", "131052-308T", "131052-308A"),
        ("", "85.07.30-033.28", "85.07.30-033.20"),
        ("rijksregisternummer", "85073003328", "85073003320"),
        ("", "971013-9019902", "971013-9019900"),
        ("CPR", "211062-5629", "311362-5629"),
        ("fødselsnummer", "15108695088", "15108695080"),
        ("", "756.9217.0769.85", "756.9217.0769.80"),
        ("TC kimlik no", "17291716060", "17291716061"),
        ("SIN", "123-456-782", "123-456-780"),
        ("TFN", "123 456 782", "123 456 780"),
        ("ID", "7503305044089", "7503305044080"),
        ("", "BOXW310820HNERXN09", "BOXW310820HNERXN00"),
        ("", "12.531.909-2", "12.531.909-0"),
        ("", "20-05536168-2", "20-05536168-0"),
        ("РНОКПП", "1759013776", "1759013770"),
    ],
)
def test_national_identity_numbers_want_right_digits_and_those_that_are_ambiguous_a_word(
    word: str, number: str, wrong: str
) -> None:
    def is_found(text: str) -> bool:
        return "national_id" in {kind for *_, kind in find(f"He gave {text}.")}

    assert is_found(f"{word} {number}")
    assert not is_found(f"{word} {wrong}")
    assert is_found(number) is not bool(word)


def test_every_form_of_national_identity_number_has_a_test() -> None:
    (mark,) = test_national_identity_numbers_want_right_digits_and_those_that_are_ambiguous_a_word.pytestmark
    assert len(mark.args[1]) == len(_FORMS)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:secret@example.com/a",
        "https://example.com/cb?state=1&access_token=abcdef12345",
        "https://b.s3.example.com/f?X-Amz-Expires=60&X-Amz-Signature=deadbeef",
        "http://example.com/login;jsessionid=0123456789AB",
        "https://example.com/v1?api_key=0123456789abcdef",
        "https://example.com/#id_token=eyJhbGciOi.eyJzdWIi",
        "ftp://bob:hunter22@example.com",
        "https://hooks.slack.com/services/T00/B00/xyz",
    ],
)
def test_urls_with_secrets_are_masked_whole(url: str) -> None:
    assert masked(f"see {url}, please") == "see [URL], please"


@pytest.mark.parametrize(
    "text",
    [
        # Years, dates, times, ranges.
        "from 1984-1990, 2019-10-12, 1984–1990, 12/11/1999, 05.06.2004 and 10:30:45",
        "Call of the Wild (1903-1910), called on 12-05-1999; phones sold in 1990-1995",
        "pages 100-200-300, pp. 259-264, p.1123-1164 and vol. 12 (2017)",
        # Amounts.
        "1,234,567,890 people, 12345678901 atoms and 3.14159265358979",
        "12 345 678 inhabitants, 1.234.567 euros, $2 500 000 000 and 100 000 000 mobile phones",
        "the number of text messages grew to 1 234 567 and phone sales to 1234567",
        # Books, journals, catalogues, chemistry.
        "ISBN 978-0-306-40615-7 and ISBN 0-306-40615-2 and ISBN 9780306406157, EAN 4006381333931",
        "ISSN 0378-5955, OCLC 123456789, doi:10.1000/182, PMID 12345678, LCCN 2001012345",
        "CAS 7732-18-5, 50-00-0 and 1333-74-0; EC 200-001-8; EC 3.4.21.4; UN 1203",
        "arXiv:2101.00001, NGC 7293, HD 209458 b, 2MASS J05352184-0546085, PSR B1919+21",
        # Coordinates.
        "48.8566 N, +40.712776 -74.005974; 48°51′24″N 2°21′03″E; RA 05h 34m 31.94s, +22 00 52.2",
        # Chess and sports.
        "1. e4 e5 2. Nf3 Nc6 3. Bb5 a6 4. Ba4 Nf6 1-0, 1/2-1/2; 6-4, 3-6, 7-6(5), 6-3; 25-21, 25-18, 22-25, 15-11",
        "he won 21-19 19-21 21-15, 3:2 (25:21 23:25), with 103.45-98.70 points",
        # Versions, sections, code.
        "version 1.2.3.4, v10.0.0.1, Apache/1.3.33.7, 999.1.1.1, 1.2.3.4.5, section 4.10.2.1",
        "ISBN 0-07-1410047-3, astro-ph/0309480, GSM-102/103, j.cell.2007.02.007",
        "image 01 2003-12-24, версія = 5.0.0.62",
        "https://books.example.com/?id=x&sig=bYzZvplZGxRcn9YweXWIfNpN7Nw; https://a.jp/?key=%a5%a4%a5%f3%a5%c9%a5%cd",
        "profile 100010437947343",
        "std::vector, a::b, dead::beef, 00:1a:2b:3c:4d:5e and 16:9",
        # Postcodes, trains, licence plates, shares.
        "Hoboken, NJ 07030-5774; trains 09003/09004; flights 447-9; Boeing 747-400; ISO 8601-1:2019",
        # Check digits that are wrong.
        "4111 1111 1111 1112, DE89 3704 0044 0532 0130 01, 12345678A and 390.533.447-06",
        "666-12-3456, 11010519491231002Y, RCCMNL83S18D969A, 2 95 10 99 126 111 94",
        # What stands beside a number, or before it, makes it another.
        "Tel. 1984-1990, phone 1234.567, call on page number 0123456789 and ISBN 212-555-0123",
        "#212-555-0123, x=212-555-0123, $212-555-0123, 212-555-0123%, 212-555-0123° and 212-555-0123:5",
        # Right check digits of no issuer, and of an issuer whose numbers want a word; an address of small parts.
        "9000000000000019 and 501800000009 in all, as 1.2.3.4 says",
        # Handles and harmless addresses.
        "user @ home, @handle and a@b; https://example.com/?q=token&page=2#top and https://a.b/?key=name",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert masked(text) == text


def test_occurrences_are_counted_by_type() -> None:
    _, counts = mask(["a@b.com, c@d.org and 10.0.0.1", "nothing"])
    assert counts == [[{"type": "email", "count": 2}, {"type": "ip", "count": 1}], []]


def test_spans_are_code_points_in_order() -> None:
    assert find("é 10.0.0.1 é a@b.com") == [(2, 10, "ip"), (13, 20, "email")]


def test_only_the_kinds_asked_for_are_found() -> None:
    text = "a@b.com 10.0.0.1"
    assert find(text, ["ip"]) == [(8, 16, "ip")]
    assert mask([text], ["email"])[0] == ["[EMAIL] 10.0.0.1"]
    assert find(text, []) == []


def test_a_kind_that_claims_first_hides_its_text_from_the_others() -> None:
    assert find("https://bob:secret1@10.0.0.1/") == [(0, 29, "url")]


@pytest.mark.parametrize(
    ("mode", "texts", "details", "spans"),
    [
        ("mask", ["[EMAIL], [IP]", "none"], [None, None], [[], []]),
        ("reject", ["a@b.com, 10.0.0.1", "none"], ["email, ip", None], [[(0, 7, "email"), (9, 17, "ip")], []]),
        ("tag", ["a@b.com, 10.0.0.1", "none"], [None, None], [[(0, 7, "email"), (9, 17, "ip")], []]),
    ],
)
def test_modes(mode: str, texts: list[str], details: list[str | None], spans: list[object]) -> None:
    treated = treat(["a@b.com, 10.0.0.1", "none"], config=PrivacyConfig(mode=mode))
    assert (treated.texts, treated.details, treated.spans) == (texts, details, spans)
    assert treated.counts == [[{"type": "email", "count": 1}, {"type": "ip", "count": 1}], []]


def test_bad_options_are_named() -> None:
    with pytest.raises(ConfigError, match=r"privacy.mode .* 'hide'"):
        PrivacyConfig(mode="hide")
    with pytest.raises(ConfigError, match=r"privacy.kinds has 'name'"):
        PrivacyConfig(kinds=("email", "name"))


_PIECES = st.sampled_from(
    ["a@b.co", "x.y@z.org", "+4930123456", "212-555-0123", "10.0.0.1", "::1:2:3", "4111111111111111", "tel ", "@", ".",
     "-", " ", "1", "(", ")", "+", "fax: ", "é", "[EMAIL]", "DE89370400440532013000", "123-45-6789", "7946 0958", ", ",
     "call me at ", " office", "://", "https://u:pppp@h.de/", "AB 12 34 56 C", "card ", "780 6326", "\n", "的"]
)  # fmt: skip
_TEXTS = st.lists(_PIECES, max_size=14).map("".join) | st.text(max_size=40)


@settings(max_examples=50, deadline=None)
@given(_TEXTS)
def test_masking_again_changes_nothing(text: str) -> None:
    once = masked(text)
    assert masked(once) == once
    assert find(once) == []


@settings(max_examples=50, deadline=None)
@given(_TEXTS)
def test_spans_lie_in_the_text_without_overlap(text: str) -> None:
    last = 0
    for start, end, kind in find(text):
        assert last <= start < end <= len(text)
        assert kind in KINDS
        last = end


@settings(max_examples=50, deadline=None)
@given(st.lists(_TEXTS, max_size=4))
def test_a_text_is_treated_the_same_alone_and_among_others(texts: list[str]) -> None:
    assert find_all(texts) == [find(text) for text in texts]


@pytest.mark.parametrize(
    "piece",
    [
        "a", "1", "+1", "1 ", "1-", "(1", "a@", "a.", "@a.", "a@a.", "://", "a://a", "a://a:a@", "1.", "1:", ":", "::a",
        "DE89 ", "1111 ", "call ", "tel ", "tel 1234567 ", "+4930123456", "a@b.co ", "123-45-6789", "[PHONE] 123456 ",
        "x=", "A1", "12 34 56 ", "token=", "at my ", ".,", "\u00a0", "的1", "123456A",
    ],
)  # fmt: skip
def test_hostile_input_takes_linear_time(piece: str) -> None:
    """A quadratic step over 100,000 characters would take minutes."""
    text = piece * (100_000 // len(piece))
    assert isinstance(mask([f"1{text}x"])[0], list)


def test_polars_series_of_texts_are_taken() -> None:
    assert find_all(pl.Series(["a@b.com"]).to_list()) == [[(0, 7, "email")]]
