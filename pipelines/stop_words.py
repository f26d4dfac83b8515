"""The most frequent function words of the languages that have most text: any real text is full of them."""

from __future__ import annotations

from functools import cache

import polars as pl

_STOP_WORDS = {
    "en": "the of and to in a is was for on as with by that he it at from his an were are which be this or had not "
    "have but i you they we she her their has been my your me so what all if do can its no there would who will",
    "de": "der die und in den von das mit im des ist ein dem für auf eine als war auch sich nicht zu er an es "
    "wurde bei "
    "aus nach werden einer sie ich wir aber wie oder zum zur hat sind",
    "fr": "de la le et les des en un du une est à dans il par pour que qui au sur a elle ne pas ce avec se "
    "sont plus je "
    "vous nous mais ou son sa ses aux été cette",
    "es": "de la el en y los que del se las un por con una su para es al fue como lo más no a o yo pero sus este entre "
    "era ha son me si muy",
    "it": "di e il la che in un a del è per una i della le si con da non nel al dei gli lo come ma anche sono alla più "
    "dal su delle ha ho mi io",
    "pt": "de a o e que do da em um para com não uma os no se na por mais as dos como mas foi ao ele das à seu sua ou "
    "ser é eu são",
    "nl": "de van en het in een is op te dat met voor die zijn aan door werd er als om ook niet hij was bij "
    "naar uit maar "
    "ik je ze dit tot over",
    "sv": "och i att en det som på är av för med den till var de han om ett har inte vid från men jag hon sig "
    "efter under",
    "da": "og i at det er en af den til på som med for de var han der et har ikke fra om men jeg hun sig "
    "efter ved blev",
    "nb": "og i det er en av som på til for med den at han de var et har ikke fra om men jeg hun seg etter "
    "ved ble også",
    "fi": "ja on oli se että ei hän myös sen mutta joka kun tai vuonna ovat hänen ole niin kuin mukaan kanssa "
    "jotka minä",
    "pl": "w i z na do się nie że jest to o jak po od za przez oraz ale a co dla był jego był była roku są ze tym",
    "cs": "a v se na je že o s z do i to jako za byl k po pro ve by ale od jeho který byla jsou si také není",
    "ru": "и в не на с что он по как из у за от к о это а был его для но или была были до при я мы вы она они так же",
    "uk": "і в на з що не у до та за як від по його про для він але є це був була були із або при я ми ви "
    "вона вони також",
    "tr": "ve bir bu ile için de da olarak olan en çok daha ne o gibi kadar sonra ancak ise değil ben biz sen var",
    "hu": "a az és hogy nem is egy volt meg de ez mint el csak van ki már azt kell egyik vagy során így",
    "ro": "de și în la a cu pe din o că un este nu se mai care pentru al lui sa fost au sau dar prin după",
    "ar": "في من على إلى أن عن مع التي الذي هذا هذه كان كانت بين بعد ما لا كما أو قد هو هي و ذلك",
    "fa": "و در به از که این را با است برای آن یک بود شد تا بر هم نیز های یا می او",
    "hi": "के में की है का को और से पर ने एक यह कि हैं था भी इस नहीं जो कर तो ही या लिए थे",
    "id": "yang dan di dari dengan untuk pada ini dalam adalah itu sebagai tidak oleh atau ke juga akan telah tersebut",
    "vi": "và của là các có được trong cho với một không những này đã người để khi từ đến cũng như tại ở",
}


@cache
def table() -> pl.DataFrame:
    """Columns `lang` and `word`, one row per function word."""
    rows = [(lang, word) for lang, words in _STOP_WORDS.items() for word in sorted(set(words.split()))]
    return pl.DataFrame(rows, schema={"lang": pl.String, "word": pl.String}, orient="row")


def languages() -> tuple[str, ...]:
    """Languages whose function words are known."""
    return tuple(_STOP_WORDS)


@cache
def words(lang: str) -> tuple[str, ...]:
    """The function words of a language, in alphabetical order; none where they are not known."""
    return tuple(sorted(set(_STOP_WORDS.get(lang, "").split())))
