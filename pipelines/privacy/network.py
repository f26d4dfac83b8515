"""IP addresses of both versions (RFC 791, RFC 4291)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from pipelines.privacy.rule import Bounds, Rule, announcing, before

_V4 = re.compile(r"(?<![\w.\]])(?<!\d,)(?<![A-Za-z]/)(?:\d{1,3}\.){3}\d{1,3}(?!\.?\w|\[)", re.ASCII)
_V6 = re.compile(
    r"(?<![\w:.\]])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{3,45}+(?:(?<=:)(?:\d{1,3}\.){3}\d{1,3}|(?<=:\d)(?:\d{0,2}\.)?"
    r"(?:\d{1,3}\.){2}\d{1,3})?(?![\w:\[])"
)
_NUMBERING = re.compile(
    r"(?i)(?<![^\W_])(?:v|ver|version|versions|release|rev|revision|build|firmware|kernel|update|ec|tc|section|sections"
    r"|chapter|clause|article|paragraph|table|figure|fig|appendix|eq|theorem|lemma|patch|sp|no|nr|versión|versione"
    r"|versão|wersja|phiên bản|sürüm|версия|версії|версія|έκδοση|バージョン|版本)[.:]?[ \u00a0=]{0,10}v?$"
)
_NETWORK = announcing(
    "ip|ips|ipv4|ipv6|address|addresses|host|hosts|server|servers|dns|ping|gateway|subnet|client|router|localhost|login"
    "|network|proxy|vpn|port|firewall|adresse|dirección|indirizzo|адрес"
)
_WIDE = re.compile(r"(?:2[0-9a-f]{3}|3[0-9a-f]{3}|fe[89ab][0-9a-f]|f[cd][0-9a-f]{2}):", re.IGNORECASE)
_MIN_GROUPS = 3


def _addresses(text: str) -> Iterator[Bounds]:
    """Addresses of both versions in order."""
    found = [match.span() for match in _V4.finditer(text) if _is_v4(text, match)]
    found += [match.span() for match in _V6.finditer(text) if _is_v6(match[0])]
    last = 0
    for start, end in sorted(found):
        if start >= last:
            yield start, end
            last = end


def _is_v4(text: str, match: re.Match[str]) -> bool:
    """Whether it is valid and no version, enzyme or section number: those of small parts want a word like `host`."""
    lead = before(text, match.start())
    parts = match[0].split(".")
    if not _is_valid(match[0]) or parts[0] == "0" or _NUMBERING.search(lead):
        return False
    return any(len(part) > 1 for part in parts) or _NETWORK.search(lead) is not None


def _is_v6(address: str) -> bool:
    """Whether it is valid, with three groups at least or a unicast prefix: `a::b` is a ratio, a name or code."""
    if not _is_valid(address):
        return False
    groups = [group for group in address.split(":") if group]
    return len(groups) >= _MIN_GROUPS or (_WIDE.match(address) is not None and any(map(str.isdigit, groups[0])))


def _is_valid(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


IP_RULE = Rule(
    "ip",
    (r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}", "::", r":[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}:"),
    _addresses,
)
