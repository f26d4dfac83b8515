"""Short closed lists that tell a tagger what a word may be: dates, titles, organisations, places, given names.

General knowledge, written without looking at any labelled set; training decides what each list is worth.
"""

from __future__ import annotations

_MONTHS = """
january february march april may june july august september october november december jan feb mar apr jun jul aug sep
sept oct nov dec
"""
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday"
_TIMES = """
century centuries decade year years month week day spring summer autumn winter bc ad bce ce era early late mid morning
evening today yesterday tomorrow
"""
_TITLES = """
mr mrs ms dr prof professor sir lord lady king queen prince princess president minister senator governor mayor general
captain colonel judge justice pope saint st bishop father mother actor actress author poet painter composer
philosopher economist director emperor chancellor chairman secretary
"""
_ORGANISATIONS = """
inc corp corporation company ltd llc plc co group university college institute school academy association society
party bank museum ministry department agency committee council commission court church press club union league
federation foundation army navy government orchestra team united city records airlines laboratory laboratories
hospital library times post news network parliament senate congress assembly
"""
_PLACES = """
river lake mount mountain mountains sea ocean island islands valley desert street avenue road bay gulf cape peninsula
north south east west northern southern eastern western city town village county state province republic kingdom
district region capital coast port park square bridge
"""
_COUNTRIES = """
afghanistan albania algeria andorra angola argentina armenia australia austria azerbaijan bahrain bangladesh belarus
belgium bolivia bosnia botswana brazil britain bulgaria burma cambodia cameroon canada chad chile china colombia congo
croatia cuba cyprus denmark ecuador egypt england estonia ethiopia fiji finland france georgia germany ghana greece
guatemala guinea haiti honduras hungary iceland india indonesia iran iraq ireland israel italy jamaica japan jordan
kazakhstan kenya korea kuwait laos latvia lebanon liberia libya lithuania luxembourg madagascar malaysia mali malta
mexico moldova monaco mongolia morocco mozambique namibia nepal netherlands nicaragua niger nigeria norway oman
pakistan palestine panama paraguay peru philippines poland portugal qatar romania russia rwanda scotland senegal
serbia singapore slovakia slovenia somalia spain sudan sweden switzerland syria taiwan tanzania thailand tunisia
turkey uganda ukraine uruguay uzbekistan venezuela vietnam wales yemen zambia zimbabwe africa asia europe america
antarctica
"""
_TOWNS = """
amsterdam athens baghdad bangkok barcelona beijing berlin bogota boston brussels budapest cairo calcutta california
chicago copenhagen dallas delhi detroit dubai dublin edinburgh florence florida geneva glasgow hamburg havana helsinki
houston istanbul jakarta jerusalem kyiv kyoto lagos lima lisbon liverpool london madrid manchester manila melbourne
miami milan montreal moscow mumbai munich nairobi naples odesa oslo oxford paris philadelphia prague rome santiago
seattle seoul shanghai stockholm sydney tehran texas tokyo toronto vancouver venice vienna warsaw washington zurich
cambridge alaska alabama arizona arkansas colorado georgia hawaii illinois kansas kentucky maine michigan montana
ohio oregon utah vermont virginia york
"""
_GIVEN = """
abraham adam ahmed albert alexander alice ali amy andrea andrew anna anne anthony antonio arthur ayn barbara benjamin
bernard carl carlos carol caroline catherine charles christine christopher claire clara daniel david diana dmitri
donald dorothy douglas edgar edward eleanor elena elizabeth emily emma eric ernest fatima francis frank franz
frederick friedrich george gerald giovanni giuseppe grace gustav hannah hans harold harry heinrich helen henri henry
herbert howard hugo ibn igor ingrid isaac isabel ivan jack jacques james jane jason jean jennifer joan johann john
jonathan jose joseph juan judith julia julian karen karl katherine kenneth kevin laura lawrence leo leonard lewis
linda louis louise lucy ludwig luis maria marie mark martha martin mary matthew max michael miguel mohammed muhammad
nancy nicholas nikola nina oliver olga omar oscar otto patricia patrick paul pedro peter philip pierre rachel ralph
raymond rebecca richard robert roger ronald rosa ruth samuel sara sarah sergei simon sofia sophia stanley stefan
stephen steven susan thomas timothy victor victoria vincent virginia vladimir walter wilhelm william winston yuri
"""

GAZETTEERS: dict[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "month": _MONTHS,
        "weekday": _WEEKDAYS,
        "time": _TIMES,
        "title": _TITLES,
        "organisation": _ORGANISATIONS,
        "place": _PLACES,
        "country": _COUNTRIES,
        "town": _TOWNS,
        "given": _GIVEN,
    }.items()
}
