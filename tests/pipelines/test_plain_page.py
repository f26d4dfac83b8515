"""The quick reading of a page: the same as the parser's, or none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.sources import plain_page
from pipelines.sources.dump import DumpHandler, RawPage

NEW = """
  <page>
    <title>AT&amp;T: a &quot;name&quot;</title>
    <ns>0</ns>
    <id>12</id>
    <revision>
      <id>9</id>
      <parentid>8</parentid>
      <timestamp>2020-01-02T03:04:05Z</timestamp>
      <contributor>
        <username>Ann</username>
        <id>7</id>
      </contributor>
      <minor />
      <comment>/* a */ b</comment>
      <origin>9</origin>
      <model>wikitext</model>
      <format>text/x-wiki</format>
      <text bytes="9" sha1="abc" xml:space="preserve">x &lt;b&gt; &amp;amp; é 𝄞</text>
      <sha1>abc</sha1>
    </revision>
  </page>"""
OLD = """<page><title>Talk:A</title><id>3</id><restrictions>edit=sysop</restrictions><revision><id>1</id>
<timestamp>2008-01-02T03:04:05Z</timestamp><contributor><ip>127.0.0.1</ip></contributor><comment>c</comment>
<text xml:space="preserve">old</text></revision></page>"""
REDIRECT = NEW.replace("<revision>", '<redirect title="B &amp; C" />\n<revision>')
EMPTY = NEW.replace('">x &lt;b&gt; &amp;amp; é 𝄞</text>', '" />')
HIDDEN = OLD.replace("<contributor><ip>127.0.0.1</ip></contributor>", '<contributor deleted="deleted" />').replace(
    "<comment>c</comment>", '<comment deleted="deleted" />'
)
MODEL_LAST = NEW.replace("<model>wikitext</model>\n", "").replace("</sha1>", "</sha1><model>json</model>")
OTHER = NEW.replace("<ns>0</ns>", "<ns>14</ns>")


def parsed(xml: bytes, max_chars: int = 1000) -> RawPage:
    """The page as expat reads it. Raises ExpatError."""
    handler = DumpHandler(Path("d.xml"), max_chars=max_chars)
    handler.feed(b"<mediawiki>" + xml + b"</mediawiki>", True)
    (page,) = handler.take()
    return page


@pytest.mark.parametrize("xml", [NEW, OLD, REDIRECT, EMPTY, HIDDEN, MODEL_LAST, OTHER])
def test_layouts_of_all_schemas_are_read_as_expat_reads_them(xml: str) -> None:
    assert plain_page.parse(xml.encode(), 1, max_chars=1000) == parsed(xml.encode())


def test_a_page_over_the_limit_is_counted_and_not_kept() -> None:
    page = plain_page.parse(NEW.encode(), 1, max_chars=5)
    assert page == parsed(NEW.encode(), max_chars=5)
    assert page is not None
    assert (page.text, page.n_chars) == ("", 15)


@pytest.mark.parametrize(
    ("what", "instead"),
    [
        ("x &lt;b", "x <b/> &lt;b"),
        ("x &lt;b", "x > b"),
        ("<model>", "<model />\n<model>"),
        ("x &lt;b", "x &#65; b"),
        ("x &lt;b", "x &bomb; b"),
        ("x &lt;b", "x & b"),
        ("x &lt;b", "x \x01 b"),
        ("x &lt;b", "x \r\n b"),
        ("x &lt;b", "x \ufffe b"),
        ("x &lt;b", "<![CDATA[x]]>"),
        ("<ns>0</ns>", "<ns>0</nt>"),
        ("<ns>0</ns>", "<ns>zero</ns>"),
        ("<title>", "<title a='1'>"),
        ("</revision>", "</revision><revision><id>1</id><text>new</text></revision>"),
        ('bytes="9"', 'bytes="9" bytes="9"'),
        ("<sha1>abc</sha1>", ""),
        ("<comment>", "<!-- --><comment>"),
        ("AT&amp;T", "A" * 5000),
    ],
)
def test_what_is_laid_out_otherwise_is_left_to_the_parser(what: str, instead: str) -> None:
    changed = NEW.replace(what, instead, 1)
    assert changed != NEW
    page = plain_page.parse(changed.encode(), 1, max_chars=1000)
    assert page is None or page == parsed(changed.encode())


def test_the_end_of_a_section_in_text_is_left_to_the_parser() -> None:
    assert plain_page.parse(NEW.replace("x &lt;b", "x ]]> b").encode(), 1, max_chars=1000) is None


def test_bytes_that_are_no_text_are_told() -> None:
    with pytest.raises(UnicodeDecodeError):
        plain_page.parse(NEW.encode().replace(b"Ann", b"\xff"), 1, max_chars=1000)


SNIPPETS = (
    "<",
    ">",
    "&",
    "&lt;",
    "&#9;",
    "]]>",
    "</text>",
    "<text>",
    "</page>",
    "\r",
    "\x00",
    '"',
    "\ufffe",
    " ",
    "<ns>1</ns>",
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([NEW, OLD, REDIRECT]), st.floats(0, 1), st.sampled_from(SNIPPETS), st.integers(0, 20))
@example(NEW, 0.5, "]]>", 0)
def test_a_damaged_page_is_read_as_expat_does_or_left_to_it(xml: str, where: float, snippet: str, cut: int) -> None:
    at = int(len(xml) * where)
    damaged = (xml[:at] + snippet + xml[at + cut :]).encode()
    page = plain_page.parse(damaged, 1, max_chars=1000)
    assert page is None or page == parsed(damaged)
