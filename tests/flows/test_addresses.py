"""Sources whose address holds credentials: a flow is told the name of a variable."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from data.errors import TextmillError
from flows.addresses import by_reference, expanded, refuse_credentials
from flows.job import make_job
from flows.recipe import Recipe

ADDRESS = "https://user:hunter2pass@host.example/dump.xml.bz2?sig=planted"
PLAIN = ["wikipedia-sample", "/data/a.jsonl", "https://host.example/x?date=20260101", "s3://bucket/texts"]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))


def test_what_holds_no_credentials_is_told_as_it_is() -> None:
    assert by_reference(PLAIN) == PLAIN
    assert [expanded(word) for word in PLAIN] == PLAIN
    refuse_credentials(PLAIN)


def test_credentials_wait_in_the_environment(tmp_path: Path) -> None:
    told = by_reference(["a.jsonl", ADDRESS])
    assert told == ["a.jsonl", "${TEXTMILL_SOURCE_2}"]
    options = {"pipeline": None, "recipe": Recipe(), "limit": None, "run_id": "r", "started": "", "workers": 0}
    job = make_job(lake=tmp_path, sources=told[1:], **options)  # type: ignore[arg-type]
    assert (job.sources[0].location, job.pipeline) == (ADDRESS, "dump")


def test_a_part_of_an_address_may_be_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "WIKI_KEY", "planted")
    assert expanded("https://host.example/x?sig=${WIKI_KEY}") == "https://host.example/x?sig=planted"
    refuse_credentials(
        ["${WIKI_KEY}", "https://${USER}:${WIKI_KEY}@host.example/x?sig=${WIKI_KEY}", "https://${U}@h/x"]
    )


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(TextmillError, match=r"the environment has no NO_SUCH_KEY, which the source .* names; set it"):
        expanded("https://u:hunter2pass@host.example/${NO_SUCH_KEY}")


def test_a_run_whose_parameters_hold_credentials_is_refused_without_telling_them() -> None:
    with pytest.raises(TextmillError, match=r"holds credentials, which Prefect keeps as plain text") as caught:
        refuse_credentials(["a.jsonl", ADDRESS])
    assert not any(secret in str(caught.value) for secret in ("hunter2pass", "planted"))
