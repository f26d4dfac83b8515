"""What becomes of personal data: masked, a reason to reject the document, or only told."""

from __future__ import annotations

from dataclasses import dataclass

from data.errors import ConfigError
from pipelines.privacy.search import KINDS, Counts, Span, Texts, count_spans, find_all, mask

MODES = ("mask", "reject", "tag")
REASON = "personal_data_found"


@dataclass(frozen=True, kw_only=True)
class PrivacyConfig:
    """`mode`: mask it, reject documents that have it, or tag (count and leave it). `kinds`: of what; none is off."""

    mode: str = "mask"
    kinds: tuple[str, ...] = KINDS

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ConfigError(f"privacy.mode must be one of {', '.join(MODES)}, not '{self.mode}'")
        if unknown := next((kind for kind in self.kinds if kind not in KINDS), None):
            raise ConfigError(f"privacy.kinds has '{unknown}'; there are {', '.join(KINDS)}")


@dataclass(frozen=True)
class Treated:
    """One entry per text. `details` names the kinds for which a text is rejected, None where it is kept.

    `spans` are those in the text as it came in; they are only filled when it was left as it was.
    """

    texts: list[str]
    counts: list[Counts]
    spans: list[list[Span]]
    details: list[str | None]


def treat(texts: Texts, *, config: PrivacyConfig | None = None) -> Treated:
    """The texts treated as the config says; a rejected one has the reason `personal_data_found`."""
    config = config or PrivacyConfig()
    if config.mode == "mask":
        masked, counts = mask(texts, config.kinds)
        return Treated(masked, counts, [[] for _ in masked], [None] * len(masked))
    spans = find_all(texts, config.kinds)
    counts = [count_spans(found) for found in spans]
    is_rejecting = config.mode == "reject"
    details = [", ".join(str(item["type"]) for item in count) or None if is_rejecting else None for count in counts]
    return Treated(list(texts), counts, spans, details)
