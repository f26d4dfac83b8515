"""Words that end in a full stop without ending a sentence, in the languages that have most text."""

from __future__ import annotations


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


TITLES = _set(
    "mr mrs ms mx dr prof rev fr st mt ft gen col lt sgt capt cmdr adm maj brig gov sen rep hon pres supt messrs mme "
    "mlle hr hrn frau bzw ca vgl evtl ggf inkl sog sr sra srta dña dn vs cf viz approx esp incl resp i.e e.g z.b d.h "
    "u.a s.a т.е т.к т.н ул им проф акад св"
)
"""A name or an example follows: never the end of a sentence."""

TRAILING = _set("inc ltd co corp bros jr dept univ assn etc al ave blvd rd a.m p.m ph.d d.c usw i.d")
"""May end a sentence: it does where a usual first word follows."""

BEFORE_NUMBERS = _set("no nos nr vol vols pp p pg fig figs sec secs ch chap art arts op eq eqs ed стр рис ч")
"""Ends no sentence where a number follows."""

MONTHS = _set(
    "jan feb mar apr jun jul aug sep sept oct nov dec januar februar märz april mai juni juli august september "
    "oktober november dezember"
)
"""Months that are shortened before a number (`Oct. 3`) or follow an ordinal number (`3. Oktober`)."""

STARTERS = _set(
    "The A An In On At It Its He She They We You I His Her Their This That These Those There When While After Before "
    "Although However But And As For From If With Since During By To Some Many Most Other One Each No Not Today Both "
    "Der Die Das Ein Eine Er Sie Es Im Am In Le La Les Un Une Il Elle En El Los Las Una В На Он Она Это"
)
"""First words of sentences, written with a capital: they tell an abbreviation at the end from one inside."""
