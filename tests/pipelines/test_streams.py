"""Compressed streams: found without an index, read in spans, salvaged around what is damaged."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.progress import ignore
from pipelines.sources import multistream as multistream_module
from pipelines.sources.multistream import even, spans, stream_starts, together
from pipelines.sources.records import SourceError
from pipelines.sources.streams import Gap, Span, chunks, compression_of, salvaged

TEXTS = [Random(i).randbytes(3000) for i in range(5)]
STREAMS = [bz2.compress(text) for text in TEXTS]


def multistream(path: Path, streams: list[bytes] | None = None) -> Path:
    path.write_bytes(b"".join(STREAMS if streams is None else streams))
    return path


def content(path: Path, span: Span | None = None) -> bytes:
    return b"".join(chunks(path, progress=ignore, span=span))


def test_starts_are_where_the_streams_begin(tmp_path: Path) -> None:
    ends = [sum(map(len, STREAMS[:i])) for i in range(len(STREAMS))]
    assert list(stream_starts(multistream(tmp_path / "m.bz2"))) == ends


@given(
    pieces=st.lists(st.sampled_from([b"BZh9", b"BZh0", b"1AY&SY", b"BZh11AY&SY", b"B", b"."]), max_size=12),
    window=st.integers(1, 16),
    start=st.integers(0, 12),
    stop=st.none() | st.integers(0, 60),
)
def test_starts_do_not_depend_on_how_much_is_read_at_once(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], window: int, start: int, stop: int | None
) -> None:
    path = tmp_path_factory.mktemp("starts") / "m.bz2"
    path.write_bytes(b"".join(pieces))
    whole = re.finditer(rb"(?=BZh[1-9]1AY&SY)", path.read_bytes()[:stop])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(multistream_module, "_WINDOW", window)
        assert list(stream_starts(path, start, stop)) == [each.start() for each in whole if each.start() >= start]


def test_spans_cover_the_file_and_each_decodes_alone(tmp_path: Path) -> None:
    path = multistream(tmp_path / "m.bz2")
    found = spans(path, streams=2, size=20_000)
    assert [len(content(path, span)) for span in found] == [6000, 6000, 3000]
    assert b"".join(content(path, span) for span in found) == b"".join(TEXTS)


def test_spans_close_at_a_size_and_a_small_last_one_joins_the_one_before(tmp_path: Path) -> None:
    path = multistream(tmp_path / "m.bz2", [*STREAMS[:2], bz2.compress(b"</mediawiki>")])
    assert spans(path, streams=99, size=1000) == [Span(0, len(STREAMS[0])), Span(len(STREAMS[0]), path.stat().st_size)]


@pytest.mark.parametrize(
    ("total", "size"),
    [
        (10, 10),  # less than half a part stays whole
        (49, 49),
        (50, 13),
        (100, 25),
        (101, 26),
        (390, 98),
        (401, 51),
        (3200, 100),  # so many that the last ones matter little
        (3201, 97),
    ],
)
def test_parts_are_alike_and_their_number_suits_two_and_four_workers(total: int, size: int) -> None:
    assert even(total, 100) == size


@given(st.integers(1, 10**7), st.integers(1, 10**5))
def test_no_part_is_larger_than_asked_for(total: int, most: int) -> None:
    size = even(total, most)
    assert size <= most or size == 1
    assert -(-total // size) <= 4 * -(-total // most)


@pytest.mark.parametrize(
    ("batches", "held"), [(1, 1), (32, 1), (63, 1), (64, 2), (100, 3), (1023, 31), (1024, 32), (6250, 32)]
)
def test_large_files_have_parts_of_several_batches(batches: int, held: int) -> None:
    assert together(batches) == held


@given(st.integers(1, 10**6))
def test_parts_of_several_batches_are_enough_for_many_workers(batches: int) -> None:
    assert -(-batches // together(batches)) >= min(batches, 32)


def test_spans_end_near_the_multiples_of_a_size(tmp_path: Path) -> None:
    path = multistream(tmp_path / "m.bz2", [bz2.compress(Random(i).randbytes(200)) for i in range(40)])
    found = spans(path, streams=99, size=even(path.stat().st_size, path.stat().st_size))
    lengths = [span.stop - span.start for span in found]
    assert len(found) == 4
    assert max(lengths) <= 1.25 * min(lengths)


def test_magic_inside_data_is_no_start_of_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "d.bin"
    path.write_bytes(STREAMS[0] + b"between" * 3 + b"BZh91AY&SY" * 3 + STREAMS[1])
    assert len(spans(path, streams=1, size=1)) == 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=6), st.integers(1, 4))
def test_spans_hold_all_streams_whatever_is_in_them(tmp_path_factory, texts: list[bytes], streams: int) -> None:  # type: ignore[no-untyped-def]
    path = multistream(tmp_path_factory.mktemp("s") / "m.bz2", [bz2.compress(text) for text in texts])
    found = spans(path, streams=streams, size=10**9)
    assert b"".join(content(path, span) for span in found) == b"".join(texts)


@pytest.mark.parametrize(
    ("kind", "data"), [("bz2", STREAMS[0]), ("gzip", gzip.compress(TEXTS[0])), ("xz", lzma.compress(TEXTS[0]))]
)
def test_compressions_by_their_first_bytes(tmp_path: Path, kind: str, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert (compression_of(path), content(path)) == (kind, TEXTS[0])


def test_7z_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "d.xml.bz2"
    path.write_bytes(b"7z\xbc\xaf\x27\x1c....")
    with pytest.raises(SourceError, match=r"7z archive.*\.bz2") as error:
        content(path)
    assert error.value.reason == "compressed_7z"


def test_damage_costs_its_stream_alone(tmp_path: Path) -> None:
    damaged = STREAMS[1][:1000] + bytes(100) + STREAMS[1][1100:]
    found = list(salvaged(multistream(tmp_path / "m.bz2", [STREAMS[0], damaged, STREAMS[2]]), progress=ignore))
    assert [item for item in found if isinstance(item, bytes) and item] == [TEXTS[0], TEXTS[2]]
    (gap,) = (item for item in found if isinstance(item, Gap))
    assert (gap.reason, gap.stream) == ("corrupt_bz2", len(STREAMS[0]))


def test_what_comes_before_an_early_end_is_kept(tmp_path: Path) -> None:
    *read, gap = salvaged(multistream(tmp_path / "m.bz2", [STREAMS[0], STREAMS[1][:-5]]), progress=ignore)
    assert b"".join(item for item in read if isinstance(item, bytes)).startswith(TEXTS[0])
    assert isinstance(gap, Gap)
    assert gap.reason == "truncated_bz2"


def test_a_corrupt_block_does_not_pass_for_text(tmp_path: Path) -> None:
    """The second of three blocks is decoded, and in part given out, before its checksum is compared."""
    data = bz2.compress(b"a page of words. " * 120_000)
    bits = f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}"
    second = bits.index(f"{0x314159265359:048b}", bits.index(f"{0x314159265359:048b}") + 1)
    checksum = second + 48
    flipped = bits[:checksum] + ("1" if bits[checksum] == "0" else "0") + bits[checksum + 1 :]
    path = tmp_path / "d.bz2"
    path.write_bytes(int(flipped, 2).to_bytes(len(data), "big"))
    *read, gap = salvaged(path, progress=ignore)
    assert isinstance(gap, Gap)
    assert gap.reason == "corrupt_bz2"
    assert sum(len(item) for item in read if isinstance(item, bytes)) <= 900_000
