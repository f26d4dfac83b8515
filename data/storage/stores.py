"""The clients of object stores, and their errors in the words of a lake.

Credentials, region and endpoint come from the usual places: the variables of the provider (`AWS_…`, `GOOGLE_…`,
`AZURE_…`), profile files, the metadata service of a cloud machine. Nothing here keeps or prints them.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from data.storage.address import StorageError, UnreachableError, redacted

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_T = TypeVar("_T")
_TRIES = 3

RETRIES: dict[str, Any] = {
    "max_retries": 8,
    "retry_timeout": timedelta(minutes=2),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=15), "base": 2},
}
STALLED = timedelta(seconds=30)
"""Time after which an answer of which nothing arrives is given up, and asked for again."""
QUICKEST, SLOWEST = 60.0, 1 << 18
"""Seconds that an upload has at the least, and the bytes a second of the slowest line that is waited for."""
_WHERE = re.compile(r"ENDPOINT|^GOOGLE_BASE_URL$|^AZURE_STORAGE_ACCOUNT_NAME$")
_NO_BUCKET = ("NoSuchBucket", "specified bucket does not exist", "ContainerNotFound")
_REFUSED = {
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "ExpiredToken",
    "AuthenticationFailed",
    "InvalidAuthenticationInfo",
    "NoAuthenticationInformation",
    "AuthenticationRequired",
}
_UNREADABLE = ("invalid access key", "an sas key", "sas query pair", "service account file", "pem file")
_MISSING = ("credential", "metadata", "169.254.", "account must be specified")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_STATUS = re.compile(r"(?:status (?:code: )?|\(code: )(\d{3}[\w ]*)")


def whereabouts() -> list[str]:
    """What the environment says of where buckets lie: endpoints, and the account that an Azure container belongs to."""
    return [value for name, value in sorted(os.environ.items()) if _WHERE.search(name)]


@lru_cache(maxsize=64)
def store(bucket: str, seconds: float | None = None) -> ObjectStore:
    """The client of a bucket, `s3://name`, for requests of which answers are read; for uploads that have `seconds`."""
    from obstore.store import from_url

    from data.storage.credentials import options

    client: dict[str, Any] = {"timeout": timedelta(seconds=seconds or 300), "connect_timeout": timedelta(seconds=5)}
    if seconds is None:  # of an upload nothing is read before all of it is sent
        client["read_timeout"] = STALLED
    if any(value.startswith("http://") for value in whereabouts()):
        client["allow_http"] = True
    with clear(bucket):
        found: ObjectStore = from_url(bucket, client_options=client, retry_config=RETRIES, **options(bucket))  # type: ignore[call-overload]
        return found


def for_upload(bucket: str, size: int) -> ObjectStore:
    """The client for requests that send so many bytes; there are few of them, with times that double."""
    seconds = QUICKEST
    while seconds * SLOWEST < size:
        seconds *= 2
    return store(bucket, seconds)


@contextmanager
def clear(address: object) -> Iterator[None]:
    """Errors of the store as FileNotFoundError, or as StorageError that names what to do.

    What other code decides by, an object that is there already or was changed, passes as it is.
    """
    from obstore import exceptions

    try:
        yield
    except (exceptions.AlreadyExistsError, exceptions.PreconditionError, exceptions.NotModifiedError):
        raise
    except FileNotFoundError as error:
        if any(word in str(error) for word in _NO_BUCKET):
            raise StorageError(f"there is no bucket for {address}; create it, or name another with --lake") from None
        raise FileNotFoundError(errno.ENOENT, "no such object", str(address)) from None
    except exceptions.BaseError as error:
        raise _told(address, str(error)) from None


def patiently(address: object, ask: Callable[[], _T]) -> _T:
    """What `ask` gets of a store; it may be asked again: the client does not, if a connection is lost in an answer."""
    for _ in range(_TRIES - 1):
        try:
            with clear(address):
                return ask()
        except UnreachableError:
            continue
    with clear(address):
        return ask()


def _told(address: object, message: str) -> StorageError:
    code, status = _CODE.search(message), _STATUS.search(message)
    reason = code.group(1) if code else status.group(1).strip() if status else ""
    if any(word in message for word in _NO_BUCKET):
        return StorageError(f"there is no bucket for {address}; create it, or name another with --lake")
    if reason in _REFUSED or "401" in reason:
        return StorageError(f"the credentials for {address} are refused ({reason}); renew them, see docs/lake.md")
    if status and status.group(1).startswith("403"):
        return StorageError(
            f"{address} may not be used with these credentials ({reason}): ask for rights to read and write there"
        )
    if reason in {"PermanentRedirect", "AuthorizationHeaderMalformed"} or reason.startswith("301"):
        return StorageError(f"{address} lies in another region ({reason}); set AWS_REGION to that of the bucket")
    if any(word in message.lower() for word in _UNREADABLE):
        return StorageError(f"the credentials for {address} cannot be read; mend them, see docs/lake.md")
    if any(word in message.lower() for word in _MISSING):
        return StorageError(
            f"no credentials for {address} were found; set them in the environment or a profile, see docs/lake.md"
        )
    return UnreachableError(
        f"{address} cannot be reached or does not answer ({reason or _first_line(message)}); try again later"
    )


def _first_line(message: str) -> str:
    return redacted(message.strip().splitlines()[0])[:200] if message.strip() else "unknown"
