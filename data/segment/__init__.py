"""Words and sentences of any script, by rules: one definition for cleaning, training and predictions.

Offsets are code points, end exclusive.

A word is a run of letters, marks and digits with the apostrophes inside it, a number with its separators, or a
dotted acronym. In scripts written without blanks between words it is the unit that readers of the script count,
found without a dictionary: a character of Han, Hiragana or Yi; the run of Katakana of a borrowed word; the
orthographic cluster of Thai, Lao, Khmer, Burmese, Javanese and their kin (a consonant with what is stacked on it,
its vowels, its tone and, in Burmese, its killed final); the syllable between two tsheg of Tibetan.

A sentence ends at its terminal punctuation, closing quotes included, and always at the end of a line. Thai and Lao
have no such punctuation and set a blank where a clause or a sentence ends: between two of their letters a blank
ends a sentence.
"""

from data.segment.sentences import extract_sentences, sentence_count, sentence_spans
from data.segment.tokens import extract_words, word_count, word_spans, words

VERSION = 2

__all__ = [
    "VERSION",
    "extract_sentences",
    "extract_words",
    "sentence_count",
    "sentence_spans",
    "word_count",
    "word_spans",
    "words",
]
