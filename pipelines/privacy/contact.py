"""E-mail addresses, and URLs that carry a password or a token."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.privacy.rule import Bounds, Rule

_DOMAIN = re.compile(
    r"@(?:[^\W_][\w\-]{0,62}+\.){1,8}(?:xn--[a-z0-9\-]{1,40}|[A-Za-z]{2,24}(?![A-Za-z])|[^\W\d_A-Za-z][^\W\d_]{1,23})"
)
# Written without blanks, the word before an address is no part of it: letters of Han, kana and Thai come second.
_LOCAL = re.compile(r"(?:[^\W\u0e00-\u0eff\u3041-\u9fff]|[.%+\-]){1,64}|[\w.%+\-]{1,64}")
_LOCAL_LENGTH = 64

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{1,14}\Z")
_REST = re.compile(r"://[^\s<>\"'\[\]{}|\\^`]{4,2048}")
_TRAILING = ".,;:!?)”’»"
_USER = re.compile(r"://[^/?#@\s:]{1,64}:[^/?#@\s]{1,128}@")
_SECRET = re.compile(
    r"(?i)[?&;#](?:[\w\-]{0,30}[\-_])?(?:access|auth|refresh|id|private|reset|session|csrf|bot|api|client|x-amz-security)?"
    r"[\-_]?(?:token|secret|passwo?r?d|pass|pwd|apikey|signature|credentials?|jwt|sessionid|sessid|jsessionid|phpsessid)"
    r"=[^&#\s]{4,}"
    r"|[?&;#](?:api[\-_]?key|access[\-_]?key|key|sid|auth|code|otp)=(?=[\w.\-]*\d)[\w.\-]{16,}"
    r"|;jsessionid=\w{8,}"
    r"|[?&#/=]eyJ[\w\-]{8,}\.[\w\-]{8,}"
    r"|//hooks\.slack\.com/services/\w|//discord(?:app)?\.com/api/webhooks/\d|//api\.telegram\.org/bot\d"
)


def _emails(text: str) -> Iterator[Bounds]:
    """Local part and domain (RFC 5322's dot-atom without its rarer marks), from every `@` outwards: linear."""
    last = 0
    for match in _DOMAIN.finditer(text):
        local = _LOCAL.match(text[max(last, match.start() - _LOCAL_LENGTH) : match.start()][::-1])
        if local is None:
            continue
        start = match.start() - len(local[0].rstrip(".-"))
        if start < match.start():
            yield start, match.end()
            last = match.end()


def _urls(text: str) -> Iterator[Bounds]:
    """URLs (RFC 3986) with a password before the host, or with a parameter that holds a secret."""
    for match in _REST.finditer(text):
        scheme = _SCHEME.search(text, max(0, match.start() - 15), match.start())
        address = match[0].rstrip(_TRAILING)
        if scheme is not None and (_USER.match(address) or _SECRET.search(address)):
            yield scheme.start(), match.start() + len(address)


URL_RULE = Rule("url", ("://",), _urls)
EMAIL_RULE = Rule("email", ("@",), _emails)
