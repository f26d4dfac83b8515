"""Classes of code points of the scripts that are written without blanks, as the inside of `[…]` of a pattern."""

from __future__ import annotations

SINGLE = (
    "\u3005-\u3007\u3041-\u309a\u309d-\u309f\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua48c\uf900-\ufaff"
    "\U00017000-\U00018d08\U0001b170-\U0001b2fb\U00020000-\U0003134f"
)
"""Han, Hiragana, Yi, Tangut and Nüshu: each character is a word."""
SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""Variation selectors, which choose the shape of the character before them."""

LEADING = "\u0e40-\u0e44\u0ec0-\u0ec4\uaab5-\uaab6\uaab9\uaabb-\uaabc"
"""Vowels written before the consonant that they follow in speech (Thai, Lao, Tai Viet)."""
BASES = (
    "\u0e01-\u0e2f\u0e81-\u0eae\u0edc-\u0edf"  # Thai, Lao
    "\u1000-\u102a\u103f\u1050-\u1055\u105a-\u105d\u1061\u1065-\u1066\u106e-\u1070\u1075-\u1081\u108e"  # Burmese
    "\ua9e0-\ua9e4\ua9e7-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa6f\uaa71-\uaa76\uaa7a\uaa7e-\uaa7f"  # Shan, Mon, Khamti, …
    "\u1780-\u17b3"  # Khmer
    "\u1950-\u196d\u1980-\u19ab\u1a20-\u1a54\uaa80-\uaaaf"  # Tai Le, New Tai Lue, Tai Tham, Tai Viet
    "\u1b05-\u1b33\u1b45-\u1b4c\ua984-\ua9b2"  # Balinese, Javanese
)
"""Consonants, and vowels that stand alone: each begins a cluster."""
SIGNS = (
    "\u0e30-\u0e3a\u0e45-\u0e4e\u0eb0-\u0ebd\u0ec6-\u0ece"
    "\u102b-\u1038\u103a-\u103e\u1056-\u1059\u105e-\u1060\u1062-\u1064\u1067-\u106d\u1071-\u1074\u1082-\u108d"
    "\u108f\u109a-\u109d\ua9e5-\ua9e6\uaa70\uaa7b-\uaa7d"
    "\u17b4-\u17d1\u17d3\u17d7\u17dc-\u17dd"
    "\u1970-\u1974\u19b0-\u19c9\u1a55-\u1a5e\u1a61-\u1a7c\u1a7f\uaab0-\uaab4\uaab7-\uaab8\uaaba\uaabd-\uaac2"
    "\u1b00-\u1b04\u1b34-\u1b43\ua980-\ua983\ua9b3-\ua9bf"
)
"""Vowels, tones and other marks of the cluster."""
STACKERS = "\u1039\u17d2\u1a60\u1b44\ua9c0"
"""Signs that stack the next consonant under the one before (virama, coeng, sakot, adeg adeg, pangkon)."""
KILLERS = "\u1037?\u103a"
"""Burmese asat, which makes the consonant before it the last sound of a syllable; a pattern, not a class."""

CLUSTERED = LEADING + BASES + SIGNS + STACKERS
CLUSTER_TAIL = rf"(?:[{STACKERS}][{BASES}]?|[{SIGNS}])*(?:[{BASES}]{KILLERS}[{SIGNS}]*)*"
"""What may follow the consonant that begins a cluster."""

THAI_LETTERS = "\u0e01-\u0e2e\u0e30-\u0e45\u0e47-\u0e4e\u0e81-\u0ebd\u0ec0-\u0ec4\u0ec8-\u0ece"
THAI_STARTS = "\u0e01-\u0e2e\u0e40-\u0e44\u0e81-\u0eae\u0ec0-\u0ec4"
"""Letters of Thai and Lao before and after a blank that ends a sentence; not ๆ and ฯ, which stand between blanks."""
