"""The errors that a user may see: one or two lines that say what was wrong and what to do."""

from __future__ import annotations


class TextmillError(Exception):
    """Base of every error that the command line shows without a traceback."""


class AccountingError(TextmillError):
    """A stage cannot account for a record: in is not kept plus rejected."""


class ContractError(TextmillError):
    """A frame cannot be brought to the schema of its contract."""


class ConfigError(TextmillError, ValueError):
    """An option cannot be used; the message names it."""


class LakeError(TextmillError):
    """The lake cannot be used as asked; the message says what to do."""
