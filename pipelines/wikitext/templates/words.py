"""Templates that show one of their arguments, a quotation, or a fixed sign."""

from __future__ import annotations

from pipelines.wikitext import markers
from pipelines.wikitext.names import listed
from pipelines.wikitext.page import Page
from pipelines.wikitext.templates.arguments import (
    Arguments,
    Renderer,
    argument,
    around,
    constant,
    joined,
    last,
    named,
    words,
)

# fmt: off
_FIRST = (
    "nowrap|nobr|no wrap|small|smaller|big|larger|large|abbr|tooltip|abbrlink|sic|not a typo|typo|as written|"
    "proper name|em|strong|bold|italic|mono|tt|var|mvar|math|samp|kbd|key|unicode|polytonic|serif|sans-serif|"
    "underline|uline|u|visible anchor|vanchor|flag|flagu|flagcountry|plainlist|flatlist|smallcaps|sc|sc1|sc2|"
    "allcaps|caps|annotated link|resize|color box|pslink|hebrew|script/hebrew|script/arabic|nastaliq|arabic|"
    "cyrl|نستعلیق|grc-tr|noitalic|nobold|vr|railgauge|normal|roman|rma|keypress|wikt-lang|strike|s|del|ins|dfn|"
    "clarify span|disputed span|failed span|ilq|inline-block|要出典範囲|要出典|pdflink|pdfリンク|いつ範囲|"
    "疑問点範囲|要検証範囲|誰範囲|下げ核|下げ核2|jis2004フォント|jis90フォント|補助漢字フォント|cp932フォント|"
    "拡張漢字|fontsize|unicodefont|small2|nowrap2|which|который|forceconvert|refnec|référence nécessaire|"
    "citation nécessaire|référence souhaitée|comment|підказка|подсказка|abréviation|abbr2|mot|romain|rom|"
    "petites capitales|прапор|прапор2|флаг|флагификация|прапорифікація|сср|drapeau2|flagge|bandera2|σημαία|cờ|"
    "lá cờ|quốc kỳ|bandiera|країна|nobreak|не переносити|ненайти|без переносів|число текстом|tl text|"
    "em dash text|linktext|hanja|anchor text|not typo|pre2|тихо|неточно|center|centre|center text|left|"
    "right text|midsize|kleiner|larger text|текст|дрібно|мелко|маленький|mini|petit|grand|пошта|нобр|"
    "unknown text|uncertain|weiche|höhe|höhe2|j|kursiv|main text|hidden text|outdent text|zhi|僻字|popup|hover|"
    "translate|ruby-text|繁體字|简体字|ltr|rtl|lrm text|bidi|big2"
)
_SECOND = ("color", "colour", "fgcolor", "fontcolor", "font color", "font", "кольоровий текст", "цвет", "колір",
           "audio",
           "âm thanh", "звук", "couleur", "tooltip2", "color text", "uncoloured link", "textcolor", "farbe", "anchord",
           "legend", "凡例", "图例", "圖例", "légende", "легенда", "chú giải")
_QUOTES = ["quote", "blockquote", "quotation", "cquote", "bquote", "quote box inline", "centered pull quote", "quote2",
           "poemquote", "poem quote", "verse translation", "block quote", "pull quote", "centered quote",
           "rquote inline", "цитата", "citation bloc",
           "цитата2", "rquote", "blockindent", "quote frame", "zitat", "cytat", "cytat2", "citazione", "cita",
           "citação",
           "début citation", "citat", "παράθεμα", "παράθεση", "απόσπασμα", "trích dẫn", "quote block", "引用", "引用文",
           "квота", "початок цитати", "начало цитаты", "вірш", "вірші", "стихи", "poem", "bài thơ", "thơ",
           "wikiquote block"]
_INLINE_QUOTES = ("citation", "«", "guillemets", "речь", "лапки", "quote inline", "tquote", "zitat inline", "q",
                  "inline quote")
_FIXED = {
    "snd": " – ", "spnd": " – ", "spaced ndash": " – ", "spaced en dash": " – ", "ndash": "–", "en dash": "–",
    "–": "–", "mdash": "—", "mdashb": "—", "eqm": " ⇌ ", "em dash": "—", "spaced mdash": " — ", "тире": " — ",
    "—": "—", "--": "–", "dash": " – ", "nbsp": " ", "!!": markers.protect("||"),
    "space": " ", "spaces": " ", "thinsp": " ", "thin space": " ", "hair space": " ", "'": "'", "'s": "'s", '"': '"',
    "' \"": "' \"", "\" '": "\" '", "·": " · ", "•": " • ", "dot": " · ", "middot": " · ", "bull": " • ",
    "!": markers.protect("|"), "pipe": markers.protect("|"), "·w": " · ", "•w": " • ", "·wrap": " · ", "・": "・",
    "=": markers.protect("="), "(": markers.protect("{"), ")": markers.protect("}"),
    "((": markers.protect("{{"), "))": markers.protect("}}"), "(!": markers.protect("{|"), "!)": markers.protect("|}"),
    "pi": "π", "okina": "ʻ", "hamza": "ʾ", "ayin": "ʿ", "shy": "", "times": "×", "0": "", "sp": " ", "pad": " ",
    "degree": "°", "deg": "°", "half": "½", "number sign": "#", "asterisk": "*", "sharp": "♯", "flat": "♭",
    "natural": "♮", "clear": "", "&": "&", "colon": ":", "c.": "c. ", "minus": "−", "euro": "€",
    "pound sign": "£", "x mark": "✗", "check mark": "✓", "'-": "'", "-'": "'", "к.": "К.", "м.": "М.", "л.": "Л.",
    "1er": "1er", "1re": "1re", "er": "er", "ier": "Ier", "av jc": "av. J.-C.", "ap jc": "apr. J.-C.", "n°": "no ",
    "mme": "Mme", "mlle": "Mlle", "m.": "M.", "dr": "Dr", "mgr": "Mgr", "numéro": "no ", "nbsp;": " ",
} | {f"{number}e": f"{number}e" for number in range(2, 32)}
_MONEY = {"us$": "US$", "usd": "US$", "$": "$", "€": "€", "eur": "€", "£": "£", "gbp": "£", "¥": "¥", "jpy": "¥",
          "inr": "₹", "₹": "₹", "a$": "A$", "aud": "A$", "c$": "C$", "cad": "C$", "nz$": "NZ$", "₴": "₴", "uah": "₴",
          "cny": "CN¥", "rmb": "CN¥", "krw": "₩", "₩": "₩", "chf": "CHF ", "vnd": "₫", "rub": "₽"}
_SHIPS = listed("uss hms rms ss mv hmas hmcs sms ms mts ins ns css usns rfa")
_COUNTRIES = listed(
    "afg alb alg arg arm aus aut aze bel ben bgr bih bol bra can che chl chn cmr col cri cub cyp cze deu dnk "
    "dom dza ecu egy eng esp est eth fin fra gbr geo ger gha gre grc gtm hnd hrv hti hun idn ind irl irn irq "
    "isl isr ita jam jor jpn kaz ken kgz kor ksa kwt lao lbn lby ltu lux lva mar mda mex mkd mlt mne mng mys "
    "ned nga nic nld nor npl nzl omn pak pan per phl png pol por prk prt pry qat rom rou rus sau sco sen sgp "
    "srb sui svk svn swe syr tha tjk tkm tto tun tur twn tza uga ukr ury usa uzb ven vnm wal yem zaf zmb zwe "
    "uno eu urs"
)
# fmt: on
ORDINALS = tuple("ivx")


def _quote(arguments: Arguments, _: Page) -> str:
    quoted = named(arguments, "text", "quote", "текст", "texte", "цитата", "testo", "nội dung", "content", "1")
    return f"\n\n{quoted}\n\n" if quoted else ""


def _inline_quote(arguments: Arguments, page: Page) -> str:
    quoted = named(arguments, "1", "citation", "текст", "text")
    before, after = ("«", "»") if page.lang in {"fr", "ru", "uk", "el", "it"} else ("“", "”")
    return f"{before}{quoted}{after}" if quoted else ""


def _list(arguments: Arguments, _: Page) -> str:
    """One line an item."""
    return "".join(f"{markers.BREAK}{word}" for word in words(arguments))


def _music(arguments: Arguments, _: Page) -> str:
    return {"flat": "♭", "sharp": "♯", "natural": "♮", "b": "♭", "#": "♯"}.get(arguments.get("1", ""), "")


def _ship(prefix: str) -> Renderer:
    """`{{USS|Name|CVN-69}}` is `USS Name (CVN-69)`."""

    def shown(arguments: Arguments, _: Page) -> str:
        hull = f" ({arguments['2']})" if arguments.get("2") else ""
        return f"{prefix} {arguments.get('1', '')}{hull}"

    return shown


def _address(arguments: Arguments, _: Page) -> str:
    return named(arguments, "2", "1")


# fmt: off
WORDS: dict[str, Renderer] = (
    # Of one name in both cases, capitals are the ship's or the country's: {{INS|Vikrant}}, {{ins|these words}}.
    {name: _ship(name.upper()) for name in _SHIPS} | {name: constant(name.upper()) for name in _COUNTRIES}
    | {name.upper(): _ship(name.upper()) for name in _SHIPS}
    | {name.upper(): constant(name.upper()) for name in _COUNTRIES}
    | dict.fromkeys(_FIRST.split("|"), argument("1", "text"))
    | dict.fromkeys(_SECOND, argument("2", "text"))
    | dict.fromkeys(_QUOTES, _quote) | dict.fromkeys(_INLINE_QUOTES, _inline_quote)
    | {name: constant(text) for name, text in _FIXED.items()}
    | {name: around(sign) for name, sign in _MONEY.items()}
    | dict.fromkeys(("sortname", "ship", "bibleverse", "bibleref", "sclass", "nom", "fullname"), joined(" "))
    | dict.fromkeys(("hlist", "hlist-comma", "flatlist2", "cslist", "comma separated entries"), joined(", "))
    | dict.fromkeys(("unbulleted list", "ubl", "ublist", "bulleted list", "ubli", "danh sách không dấu",
                     "plainlist2"), _list)
    | dict.fromkeys(("code", "codes", "c++", "inline code", "mã", "код", "syntaxhighlight"), argument("code", "1"))
    | dict.fromkeys(("columns-list", "col-list", "cols", "columns", "colonnes", "multi-column list", "段組"), last)
    | {"wayback": argument("title")}
    | dict.fromkeys(("url", "official url", "url2"), _address)
    | dict.fromkeys(("ietf rfc", "rfc", "cite ietf"), around("RFC ")) | dict.fromkeys(("isbn",
                     "isbn2"), around("ISBN "))
    | {"issn": around("ISSN "), "oclc": around("OCLC "), "pmid": around("PMID ")}
    | {"music": _music, "angbr": around("⟨", "⟩"), "angle bracket": around("⟨", "⟩"), "braces": around("{", "}")}
    | {"angbr ipa": around("⟨", "⟩"), "bracket": around("[", "]"), "abs": around("|", "|"), "phoneme": around("/", "/")}
)
# fmt: on
