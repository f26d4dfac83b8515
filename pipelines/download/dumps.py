"""Which files a Wikipedia dump consists of, from its dump status file (https://meta.wikimedia.org/wiki/Data_dumps).

`<mirror>/<wiki>/<date>/dumpstatus.json` tells of each job whether it is done, and name, size and checksums of
its files. Large wikis have the articles in many files, small ones in one; the indexes of the streams are not needed.
"""

from __future__ import annotations

import json
import re
from typing import Any

from data.wikis import dump_of
from pipelines.download.errors import DownloadError, GoneError, UnavailableError
from pipelines.download.http import Client
from pipelines.download.places import natural
from pipelines.download.shelf import Item

_JOBS = ("articlesmultistreamdump", "articlesdump")  # the second for dumps from before multistream
_ARTICLES = re.compile(r"[A-Za-z0-9_]+-\d{8}-pages-articles[A-Za-z0-9_.-]*\.xml[A-Za-z0-9_.-]*\.bz2")
_DATE = re.compile(r'href="(?:[^"]*/)?(\d{8})/?"')


def resolve(location: str, client: Client) -> list[Item]:
    """The article files of `wikipedia:<lang>:<date>|latest`, in the order of their pages.

    Raises UnavailableError where the wiki, the date or its articles are not there (yet).
    """
    wiki, date = dump_of(location)
    base = f"{client.network.wikimedia.rstrip('/')}/{wiki}"
    if date == "latest":
        return _latest(wiki, base, client)
    status = _status(f"{base}/{date}", client)
    if status is None:
        dates = _dates(wiki, base, client)
        raise UnavailableError(f"{wiki} has no dump of {date}; there are {', '.join(dates) or 'none'}")
    state, items = _articles(status, f"{base}/{date}")
    if items is None:
        done = next((other for other in reversed(_dates(wiki, base, client)) if _is_done(base, other, client)), None)
        instead = f"take {location.rsplit(':', 1)[0]}:{done}" if done else "try again in some days"
        raise UnavailableError(f"the articles of the dump {wiki} {date} are not done ({state}); {instead}")
    return items


def _latest(wiki: str, base: str, client: Client) -> list[Item]:
    for date in reversed(_dates(wiki, base, client)):
        status = _status(f"{base}/{date}", client)
        items = status and _articles(status, f"{base}/{date}")[1]
        if items:
            return items
    raise UnavailableError(f"no dump of {wiki} has its articles done; see {base}/ and name a date")


def _is_done(base: str, date: str, client: Client) -> bool:
    status = _status(f"{base}/{date}", client)
    return status is not None and _articles(status, f"{base}/{date}")[1] is not None


def _dates(wiki: str, base: str, client: Client) -> list[str]:
    """The dates of a wiki's dumps, oldest first."""
    try:
        page = client.text(f"{base}/")
    except GoneError as error:
        index = f"{client.network.wikimedia.rstrip('/')}/backup-index.html"
        raise UnavailableError(
            f"there is no wiki {wiki}; the language is the code before .wikipedia.org, and {index} lists all wikis"
        ) from error
    return sorted(set(_DATE.findall(page)))


def _status(folder: str, client: Client) -> dict[str, Any] | None:
    """The jobs of a dump, None where there is no such dump. Raises DownloadError if it is no status file."""
    url = f"{folder}/dumpstatus.json"
    try:
        jobs: dict[str, Any] = {**json.loads(client.text(url))["jobs"]}
    except GoneError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise DownloadError(f"{url} is no dump status file; check TEXTMILL_WIKIMEDIA") from error
    return jobs


def _articles(jobs: dict[str, Any], folder: str) -> tuple[str, list[Item] | None]:
    """State of the job that writes the articles, and its files if it is done. Raises DownloadError for nonsense."""
    try:
        return _read_jobs(jobs, folder)
    except (AttributeError, TypeError, KeyError) as error:
        raise DownloadError(f"{folder}/dumpstatus.json is no dump status file; check TEXTMILL_WIKIMEDIA") from error


def _read_jobs(jobs: dict[str, Any], folder: str) -> tuple[str, list[Item] | None]:
    state = "no such job"
    for name in _JOBS:
        job = jobs.get(name) or {}
        state = f"{name}: {job['status']}" if "status" in job else state
        listed = job.get("files") or {}
        found = [_item(file, facts, folder) for file, facts in listed.items() if _ARTICLES.fullmatch(file)]
        if job.get("status") == "done" and found:
            return state, sorted(found, key=lambda item: natural(item.name))
    return state, None


def _item(name: str, facts: dict[str, Any], folder: str) -> Item:
    checksums = {kind: str(facts[kind]).lower() for kind in ("sha1", "md5") if facts.get(kind)}
    return Item(name=name, origin=f"{folder}/{name}", checksums=checksums, size=facts.get("size"))
