"""Mirror what just changed, as far as that goes: a store that is down must not be what a job ends with."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from data.errors import TextmillError
from data.lake import Lake
from data.storage import redacted

_log = logging.getLogger("flows.mirroring")


def follow(lake: Lake, names: Sequence[str], address: str | None) -> None:
    """Mirror models where there is an address; where that cannot be, one line says so and nothing else happens."""
    if not address or not names:
        return
    from flows.mirroring.mirror import Wanted, mirror

    try:
        mirror(lake, address, Wanted(tuple(names)))
    except Exception as error:  # whatever it is, the models are registered and promoted
        warn(address, error)


def warn(address: str, error: Exception, *, later: str = "`textmill models mirror`") -> None:
    """One line: what is missing, what brings it, and why it is missing."""
    why = str(error) if isinstance(error, TextmillError) else f"{address}: {error or type(error).__name__}"
    _log.warning("MLflow misses this, %s brings it later; nothing else is affected (%s)", later, redacted(why))
