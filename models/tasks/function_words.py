"""Function words of the commonest languages: articles, prepositions, pronouns, auxiliaries.

A text gets the list that it uses most: what is a function word in one language is a noun in the next
(`man`, `war` and `die` are German ones).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

_LISTS = {
    "en": """
        a about above after again against all also although am among an and any are as at be became because become
        been before being below between both but by can could did do does doing down during each either else even ever
        every few first for from further had has have having he her here hers herself him himself his how however i if
        in including into is it its itself just last like made many may me might more most much must my myself new no
        nor not now of off often on once one only or other our ours out over own part per same several shall she
        should since so some such than that the their theirs them themselves then there these they this those three
        through thus to together too toward two under until up upon us used using various very via was we well were
        what when where whether which while who whom whose why will with within without would yet you your yours
    """,
    "de": """
        der die das den dem des ein eine einer eines einem einen und oder aber in im an am auf aus bei mit nach von
        vom vor zu zum zur über unter zwischen ist sind war waren wird werden wurde wurden hat haben hatte sich nicht
        auch als wie dass für durch es er sie wir ihr sein seine seiner ihre ihrer nur noch sowie bis um so man kann
    """,
    "fr": """
        le la les un une des du de d l et ou mais dans en au aux sur sous par pour avec sans est sont était être été a
        ont avait qui que qu dont où il elle ils elles on nous vous se sa son ses leur leurs ce cette ces cet ne pas
        plus comme si entre aussi
    """,
    "es": """
        el los las una unos unas y o pero del al con por para sin sobre entre es son era fue fueron ser ha han había
        que como su sus se lo no más también este esta estos estas desde hasta cuando donde
    """,
    "it": """
        il lo gli uno di dei della delle dello da dal nel nella con su per tra fra e ed ma è sono era erano che chi
        cui non più anche come questo questa quello suo sua loro si
    """,
    "pt": """
        o os um uma uns umas da do das dos na nos nas pelo pela com sem mas são foi eram não mais também seu sua à ao
    """,
    "nl": """
        het een van op te met voor door bij uit naar om als dat dit deze niet ook zijn was waren wordt werd aan over
        er maar en
    """,
    "pl": """
        i w z na do o od po za przez dla jest są był była było być się nie to że jak który która które oraz ale
    """,
    "sv": """
        och att det som den på av för med till är var har inte om ett sig från vid efter eller kan
    """,
    "ru": """
        и в во на с со по к ко о об от из за для не что как это его её их он она они был была было были быть при до у
        же или но а также из-за который которая которые
    """,
    "uk": """
        і й в у на з із до про від за для не що як це його її їх він вона вони був була було були бути при або але та
        також який яка які
    """,
}
FUNCTION_WORDS: dict[str, frozenset[str]] = {language: frozenset(words.split()) for language, words in _LISTS.items()}


def function_words(lowers: Iterable[str]) -> frozenset[str]:
    """The list that covers most of these lower-case words; the English one in doubt."""
    counts = Counter(lowers)
    return max(FUNCTION_WORDS.values(), key=lambda words: sum(counts[word] for word in words))
