"""Language-converter markup: https://www.mediawiki.org/wiki/Writing_systems/Syntax."""

from __future__ import annotations

import re

_INNERMOST = re.compile(r"-\{([^{}]{0,2000})\}-")
_FLAGS = re.compile(r"\s*([A-Z\-+](?:\s*;\s*[A-Z\-+])*|[a-z][a-z\-]*(?:\s*;\s*[a-z][a-z\-]*)*)\s*$")
_RULE = re.compile(r"\s*([a-z]{2,3}(?:-[a-z]{2,4})?)\s*:")
_HIDDEN = frozenset("HTDN-")
_NESTING = 4


def without_variants(text: str) -> str:
    """`-{zh-hans:甲; zh-hant:乙}-` shows its first variant, `-{甲}-` and `-{R|甲}-` the text, `-{H|…}-` nothing."""
    for _ in range(_NESTING):
        text, found = _INNERMOST.subn(lambda match: _shown(match[1]), text)
        if not found:
            break
    return text


def _shown(content: str) -> str:
    flags, bar, rules = content.partition("|")
    if not bar or not _FLAGS.match(flags):
        flags, rules = "", content
    if any(flag.strip() in _HIDDEN for flag in flags.split(";")):
        return ""
    for rule in rules.split(";"):
        named = _RULE.match(rule)
        if named:
            return rule[named.end() :].strip()
    return rules
