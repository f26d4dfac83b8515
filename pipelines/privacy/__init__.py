"""Personal data in texts: e-mail, telephone, IP, payment card, IBAN, national ids, URLs with a password or token."""

from __future__ import annotations

from pipelines.privacy.search import KINDS, Counts, Span, find, find_all, mask
from pipelines.privacy.treatment import PrivacyConfig, Treated, treat

VERSION = 2

__all__ = ["KINDS", "VERSION", "Counts", "PrivacyConfig", "Span", "Treated", "find", "find_all", "mask", "treat"]
