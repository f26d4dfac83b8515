"""Texts are put together again, and the offsets of their sections moved, in linear time."""

from __future__ import annotations

from pipelines.sections import Pieces, moved, rejoin


def test_very_many_sections_are_moved_in_linear_time() -> None:
    many = 60_000  # would take minutes if each section looked at all before it
    text = "a b\n" * many
    sections = [{"level": 2, "title": "a", "start": 4 * i, "end": 4 * i + 4} for i in range(many)]
    pieces = Pieces.of(text, sections)
    joined, offsets = rejoin(pieces, [each.replace(" ", "").strip() for each in pieces.texts])
    assert joined == "\n".join(["ab"] * many)
    found = moved(sections, offsets, len(text)) or []
    assert [joined[section["start"] : section["end"]] for section in found[:-1]] == ["ab\n"] * (many - 1)


def test_sections_without_text_stand_where_the_next_text_begins() -> None:
    pieces = Pieces.of("one\n\n\n\ntwo", [{"start": 0, "end": 5}, {"start": 5, "end": 6}, {"start": 6, "end": 10}])
    joined, offsets = rejoin(pieces, ["one", "", "two"])
    assert joined == "one\n\ntwo"
    assert offsets == {0: 0, 5: 5, 6: 5, 10: 8}
