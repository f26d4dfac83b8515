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
    "el": "και το του η της ο να με για από τα στο την που τον είναι οι των στην σε τη ένα μια δεν θα ως στη αυτό "
    "κατά ή",
    "bg": "на и в да се за от е с по не са като че това до а при което или която от му си той след бе към има",
    "sr": "и у је на да се за од са су као који не из то по што или али био била бити након до "
    "i u je na da se za od sa su kao koji ne iz to po što ili ali bio bila biti nakon do",
    "hr": "i u je na da se za od s su kao koji ne iz to po što ili ali bio bila biti nakon do te sa koja koje",
    "bs": "i u je na da se za od s su kao koji ne iz to po što ili ali bio bila biti nakon do te sa koja koje",
    "sk": "a v na sa je že o s z do aj k pre po od ako ale by bol bola ktorý ktorá ktoré už tak si sú nie alebo za",
    "sl": "in v je na se da za z so s ki ne po od pri kot bi pa tudi do bil bila ali iz kar ni še to",
    "lt": "ir į iš kad yra su už buvo tai nuo per o jo bei kaip bet jis ar prie apie taip pat dėl po ne kurie",
    "lv": "un ir no uz ar par kas ka tika bija līdz pēc pie kā arī vai bet tas gan ja tā nav lai viņš pa",
    "et": "ja on ei et oli ta see kui mis ka oma või ning kes aga siis ma pole olid nii seda selle nende pärast",
    "ca": "de la i el que en a les un per amb una els del al és es va no són com més però o seva també ha dels",
    "he": "של את על הוא לא עם זה היא גם או כי אל היה אך כל בין אבל אם הם יש מה היו לאחר ידי",
    "ur": "کے کی میں ہے اور سے کا کو اس پر نے یہ کہ ایک ہیں تھا بھی جو کر نہیں تھے گیا وہ",
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
