"""Thresholds of Gopher's and FineWeb's rules for other languages than English, by language.

Penedo et al. 2025, "FineWeb2" (arXiv:2506.20920): each was set from how words and lines of the language are spread in
reference text. The figures are those of the authors' configurations (configs/<language>_<script>.yml). Words are
theirs, which are near to our tokens in scripts with blanks, so that Chinese, Japanese and their like are not in the
table. The least share of words with letters is left out: it hangs on what a tokenizer makes of `l'home`, and refused
six of ten good Catalan texts.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.quality.rule import Languages

CITES = "Penedo et al. 2025 beyond English"
_COLUMNS = (
    *("words_too_short", "words_too_long", "too_few_terminal_lines", "too_many_line_ends"),
    "too_many_duplicate_lines",
    *(f"top_{n}gram_too_frequent" for n in (2, 3, 4)),
    *(f"too_many_duplicate_{n}grams" for n in range(5, 11)),
)
_TABLE = """
ar 2  9 .143 .189 .304  .197 .172 .146  .165 .153 .142 .131 .120 .109
bg 3  9 .273 .180 .350  .086 .109 .127  .205 .185 .165 .149 .136 .126
ca 2 11 .154 .118 .294  .216 .189 .168  .159 .149 .137 .126 .116 .105
cs 3 11 .125 .233 .333  .095 .121 .144  .193 .175 .157 .144 .132 .121
da 3 11 .100 .182 .305  .367 .297 .232  .169 .158 .147 .134 .123 .112
de 0 15 .000 .152 .263  .169 .153 .137  .141 .134 .126 .117 .108 .098
el 3 11 .167 .116 .310  .194 .175 .156  .174 .163 .153 .142 .130 .119
es 4 14 .300 .171 .265  .077 .097 .112  .152 .137 .123 .114 .107 .099
fa 2  9 .200 .150 .246  .189 .164 .143  .157 .147 .137 .127 .117 .107
fi 4 13 .250 .219 .333  .101 .132 .163  .171 .149 .131 .119 .106 .094
fr 2 11 .100 .185 .264  .161 .149 .134  .150 .141 .131 .121 .111 .100
he 3  9 .300 .158 .386  .100 .119 .140  .192 .174 .156 .143 .130 .120
hi 2 21 .091 .316 .206  .208 .198 .161  .135 .125 .116 .108 .099 .090
hu 3 15 .067 .231 .322  .226 .198 .172  .169 .159 .148 .136 .124 .112
id 3 11 .250 .222 .250  .088 .104 .120  .176 .158 .142 .128 .119 .109
it 3 21 .025 .200 .246  .198 .156 .133  .144 .136 .127 .118 .109 .100
nb 3 11 .200 .219 .312  .087 .107 .131  .163 .153 .134 .122 .115 .112
nl 3 16 .238 .194 .333  .093 .117 .140  .177 .160 .145 .133 .123 .112
pl 3 11 .200 .209 .353  .096 .120 .144  .203 .182 .163 .150 .137 .126
pt 3 13 .154 .230 .325  .093 .117 .139  .190 .172 .154 .142 .131 .120
ro 1 14 .081 .207 .289  .161 .146 .131  .160 .149 .138 .127 .117 .106
ru 3 11 .231 .139 .322  .184 .164 .146  .168 .156 .145 .133 .121 .109
sv 3 12 .200 .135 .292  .242 .195 .174  .156 .147 .136 .125 .116 .105
tr 3 21 .200 .273 .303  .094 .114 .136  .168 .151 .135 .123 .116 .107
uk 3 11 .308 .211 .333  .086 .108 .129  .176 .157 .139 .125 .113 .102
vi 3 11 .333 .103 .293  .223 .197 .171  .178 .163 .150 .136 .124 .111
"""
_ROWS = {
    lang: dict(zip(_COLUMNS, map(float, figures), strict=True))
    for lang, *figures in map(str.split, _TABLE.split("\n")[1:-1])
}
MEASURED = Languages(only=("en", *_ROWS))
"""English, and the languages that the authors' thresholds are known of: no other has one."""


def beyond_english(reason: str) -> Mapping[str, float]:
    """The threshold of a rule in each language of the table."""
    return {lang: row[reason] for lang, row in _ROWS.items()}
