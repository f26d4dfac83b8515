"""Profile files of AWS, which the client of object stores does not read itself."""

from __future__ import annotations

import os
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from pathlib import Path
from typing import Any

from data.storage.address import StorageError

_PLAIN = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
    "region": "region",
    "endpoint_url": "endpoint",
}
_ROUNDABOUT = ("sso_session", "sso_start_url", "credential_process", "role_arn")


def options(bucket: str) -> dict[str, Any]:
    """What the environment does not say itself, as keywords of a store: a profile's keys, region and endpoint."""
    if not bucket.startswith("s3:"):
        return {}
    named = os.environ.get("AWS_PROFILE")
    in_environment = "AWS_ACCESS_KEY_ID" in os.environ and not named
    found = _profile(named or "default")
    if in_environment:
        found = {name: value for name, value in found.items() if name in {"region", "endpoint_url"}}
    elif "aws_access_key_id" not in found and any(name in found for name in _ROUNDABOUT):
        return _plain(found) | {"credential_provider": _provider(named)}
    elif named and not found:
        raise StorageError(f"AWS_PROFILE is '{named}', and no profile file has it; name one that is there")
    return _plain(found)


def _plain(found: dict[str, str]) -> dict[str, Any]:
    """Keywords of a store; region and endpoint of the environment come first."""
    told = {name for name in ("region", "endpoint") if _told_by_environment(name)}
    return {ours: found[name] for name, ours in _PLAIN.items() if name in found and ours not in told}


def _told_by_environment(name: str) -> bool:
    variables = {
        "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
        "endpoint": ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT"),
    }
    return any(variable in os.environ for variable in variables[name])


def _profile(name: str) -> dict[str, str]:
    """The sections of a profile in the credentials and the config file, that of the credentials first."""
    home = Path.home() / ".aws"
    config = Path(os.environ.get("AWS_CONFIG_FILE", home / "config"))
    keys = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE", home / "credentials"))
    section = name if name == "default" else f"profile {name}"
    return {**_section(config, section), **_section(keys, name)}


def _section(path: Path, section: str) -> dict[str, str]:
    parser = ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
    except (OSError, ConfigParserError, UnicodeDecodeError) as error:
        # The message of the parser quotes the line, which may hold a key.
        raise StorageError(f"{path} is no profile file ({type(error).__name__}); mend it") from None
    return dict(parser[section]) if parser.has_section(section) else {}


def _provider(profile: str | None) -> Any:
    """Credentials of a profile that signs in, calls a program or takes a role; boto3 knows how."""
    try:
        from boto3 import Session
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError:
        raise StorageError(
            f"the profile '{profile or 'default'}' takes a role, signs in or calls a program, for which boto3 is "
            "wanted: pip install boto3; or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from None
    return Boto3CredentialProvider(Session(profile_name=profile))
