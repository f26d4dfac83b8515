"""Third tier: languages that share nearly all their words, told apart by those that only one of them has.

Stems in small letters, `$` after a whole word. They are what grammars and style guides of these languages list
(months, reflexes of yat, spelling reforms, everyday vocabulary), not counts from a corpus.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_WORD = re.compile(r"[^\W\d_]+")
_SHORTEST = 3
_PRIOR = 0.1
"""Added to each probability, so that words may overrule the tiers before."""


Stems = dict[str, tuple[tuple[str, dict[str, float]], ...]]


@dataclass(frozen=True)
class Marks:
    """Stems, and the likelihood of meeting one of them in each language, relative to the others."""

    likelihoods: dict[str, float]
    stems: str


_CROATIAN = Marks(
    {"hr": 1.0, "bs": 0.15, "sr": 0.05},
    "siječ veljač ožuj travanj travnj svibanj svibnj lipanj lipnj srpanj srpnj kolovoz rujan$ rujna$ rujnu$ "
    "listopad studenog$ studenoga$ prosinc prosinac tisuć tjedan tjedn povijes glazb sveučiliš kazališ nogomet "
    "vlakom$ izvješ obitelj udrug tijekom$ sukladno$ tko$ netko$ nitko$ svatko$ uporab promidžb ljekarn putovnic "
    "zrakoplov veleposlan vojarn postrojb ravnatelj kemij europ znanost znanstven skladatelj redatelj suradnj "
    "surađ suvremen općenit natjecanj natjecat momčad računal gospodarst vjerojatn uvjet sudjelov prosvjed tvrtk "
    "tvornic iznimn iznimk pozornost nazoč usredotoč glasovanj županij španjols nizozems rumunjs zemljopis promet "
    "naklad točk točn sustav desetljeć stupanj stupnj zapovjed unatoč mirovin knjižnic kirurg kaos$ kaosa$ židov "
    "otopin dvojb glasnogovornik kino$ tisak$ tiska$ unutarnj kriterij$ kriterija$ duljin obujam uhićen uhiti "
    "odvjetn liječn ocean jednadžb kut$ kuta$ kutov zemljovid",
)
_NOT_CROATIAN = Marks(
    {"hr": 0.05, "bs": 0.7, "sr": 1.0},
    "januar februar mart$ marta$ martu$ april juni$ juna$ juli$ jula$ august$ augusta$ avgust septemb oktob "
    "novemb decemb hiljad porodic muzik muzič hemij evrop tačk tačn naučn nauka$ nauke$ nauci$ nauku$ kompozitor "
    "režis reditelj saradnj sarađ savremen takmič vjerovatn verovatn uslov uticaj učestv preduzeć univerzitet "
    "pozoriš fudbal tokom$ niko$ šta$ saobraćaj holand rumunij špansk španij fabrik sistem prečnik opšt kiseonik "
    "azot aerodrom zvaničn decenij talas$ talasa$ ćelij vještač vaspit odbran bezbjed komand uprkos$ prisustv "
    "rastvor hirurg haos$ haosa$ jevrej penzij kancelarij stepen$ stepeni$ stepena$ sopstven jedinjenj supstanc "
    "zavis ostrv pomenut spisak organizov objekat$ subjekat$ aspekat$ izvještaj bioskop štamp ambasad princ "
    "spoljn unutrašnj kvalitet$ kriterijum dužin zapremin dejstv uhapš hapšenj advokat ljekar okean jednačin "
    "ugao$ ugla$ uglov gas$ gasa$ gasov mapa$ mapi$ firma$ scenario$",
)
_BOSNIAN = Marks(
    {"hr": 0.05, "bs": 1.0, "sr": 0.05},
    "historij sedmic lahk mehk kahv vijek$ vijeka$ vijeku$ vijekov hljeb sahat$ saopćen saopći augustovsk",
)
_IJEKAVIAN = Marks(
    {"hr": 1.0, "bs": 1.0, "sr": 0.1},
    "rijek vrijem mjest pjesm dijete$ djec djel dijel dio$ lijep bijel svijet čovjek prije$ poslije$ gdje ovdje "
    "uspje sjever sjedni mlijek cijel vjer nedjelj smjer primjer razumij htio$ vidje rješ promjen predsjedn tijel "
    "mijenj živje željel posljed također njemač lijev naprijed zahtjev općin vrijed sjedišt osjeć uvijek zvijezd "
    "letjel smješt riječ svjetl djetinj pobjed razmjen mješ umijeć pjeva ocjen mjer mjesec tjer sjeme sjen vjenč "
    "cvijet cvjet snijeg dvije$ obje$ svjed uvjer svijest svjest ljepš rijet pijes dospije nasljed upotrijeb "
    "zapovijed slijep stijen",
)
_EKAVIAN = Marks(
    {"hr": 0.03, "bs": 0.03, "sr": 1.0},
    "vek$ veka$ veku$ vekov reka$ reke$ reku$ reci$ vreme$ vremena$ mesto$ mesta$ mestu$ pesm dete$ deca$ dece$ "
    "decu$ delo$ dela$ delov delu$ deo$ lepo$ lepa$ svet$ sveta$ svetu$ svetsk čovek pre$ posle$ poslednj gde$ "
    "negde$ ovde$ uspeh sever mleko$ ceo$ cela$ celo$ nedelj smeru$ primer razume hteo$ videti$ video$ rešen "
    "promen predsedn telo$ tela$ telu$ menja živel želel takođe$ nemač levo$ napred$ zahtev zvezd sedišt oseć "
    "uvek$ reč$ reči$ istorij svetl detinj pobed razmen meša umeć peva ocen mera$ meri$ mesec cvet sneg dve$ obe$ "
    "uver svest lepš retk dospe nasled izvešt upotreblj zapoved slep stena$ vest$ vesti$ cena$ cene$ devoj vetar",
)
_INDONESIAN = Marks(
    {"id": 1.0, "ms": 0.05},
    "karena bahwa$ berbeda bisa$ uang$ kantor polisi$ telepon universitas desember agustus$ juli$ juni$ maret$ "
    "senin$ kamis$ jumat$ perusahaan mobil$ kualitas aktivitas komunitas identitas realitas fasilitas kapasitas "
    "mayoritas minoritas popularitas kreativitas produktivitas musik$ musisi$ partai$ tanggal$ situs unduh "
    "mengunduh televisi koran$ stasiun bandara$ prancis$ spanyol italia$ jepang$ yunani inggris$ serikat$ mau$ "
    "olahraga berbagai investasi bisnis pabrik nggak$ enggak$ gak$ banget$ dong$ gue$ diposting posting komentar$ "
    "provinsi propinsi kabupaten kecamatan kelurahan butuh membutuhkan coba$ mencoba ujarnya$ gratis$ mahasiswa "
    "gubernur bupati cowok cewek",
)
_MALAY = Marks(
    {"id": 0.02, "ms": 1.0},
    "kerana bahawa$ berbeza wang$ polis$ telefon universiti disember ogos$ julai$ isnin$ khamis$ jumaat$ ahad$ "
    "syarikat kualiti aktiviti komuniti identiti realiti fasiliti kapasiti majoriti minoriti populariti "
    "kreativiti produktiviti muzik$ parti$ tarikh perisian televisyen akhbar$ stesen perancis$ sepanyol jepun$ "
    "inggeris$ mahu$ sukan$ pelbagai pelaburan perniagaan kilang$ ialah$ iaitu$ manakala$ sekiranya$ justeru$ "
    "cuba$ mencuba baharu$ encik$ cikgu$ sains$ kos$ filem teksi$ pengerusi jawatan kakitangan majikan peguam "
    "rasuah imej$ mesyuarat dijangka sahaja$ setiausaha ditubuhkan penubuhan sungguhpun$ mengikut$ pelanggan "
    "lebuh$ tempoh$ kesemua ringgit$ bandaraya petua$",
)
_GROUPS = ((_CROATIAN, _NOT_CROATIAN, _BOSNIAN, _IJEKAVIAN, _EKAVIAN), (_INDONESIAN, _MALAY))


def together(shares: dict[str, float]) -> float:
    """Share of the first language, its close languages included."""
    first = next(iter(shares), "")
    languages, _ = _groups().get(first, ((first,), {}))
    return sum(shares.get(code, 0.0) for code in languages)


def told_apart(sample: str, probabilities: dict[str, float]) -> dict[str, float]:
    """The probabilities, those of a group of close languages shared anew by its words where one of them leads."""
    first = max(probabilities, key=lambda code: (probabilities[code], code), default="")
    group = _groups().get(first)
    if group is None:
        return probabilities
    languages, stems = group
    weights = {code: probabilities.get(code, 0.0) + _PRIOR for code in languages}
    for likelihoods in _found(sample, stems):
        weights = {code: weights[code] * likelihoods[code] for code in languages}
        total = sum(weights.values())
        weights = {code: weight / total for code, weight in weights.items()}
    mass = sum(probabilities.get(code, 0.0) for code in languages)
    total = sum(weights.values())
    return probabilities | {code: mass * weight / total for code, weight in weights.items()}


def _found(sample: str, stems: Stems) -> list[dict[str, float]]:
    """Likelihoods of the marks among the words of the sample: of the whole word, or of its longest stem."""
    found: dict[str, dict[str, float]] = {}
    for word in set(_WORD.findall(sample.lower())):
        if candidates := stems.get(word[:_SHORTEST]):
            whole = f"{word}$"
            found |= next(({word: likelihoods} for stem, likelihoods in candidates if whole.startswith(stem)), {})
    return [found[word] for word in sorted(found)]


@cache
def _groups() -> dict[str, tuple[tuple[str, ...], Stems]]:
    """Languages and stems of the group of each language."""
    found: dict[str, tuple[tuple[str, ...], Stems]] = {}
    for group in _GROUPS:
        languages = tuple(group[0].likelihoods)
        found |= dict.fromkeys(languages, (languages, _stems(group)))
    return found


def _stems(group: tuple[Marks, ...]) -> Stems:
    """Stems and their likelihoods by first letters, the longest stem first."""
    stems = [(stem, marks.likelihoods) for marks in group for stem in marks.stems.split()]
    found: dict[str, list[tuple[str, dict[str, float]]]] = {}
    for stem, likelihoods in sorted(stems, key=lambda item: (-len(item[0]), item[0])):
        found.setdefault(stem[:_SHORTEST], []).append((stem, likelihoods))
    return {prefix: tuple(items) for prefix, items in found.items()}
