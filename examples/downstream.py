"""A flow of yours that starts when textmill publishes a release: it counts what is new, by language.

    PREFECT_API_URL=http://127.0.0.1:4200/api python examples/downstream.py OUTPUT_FOLDER

serves it as a deployment until Ctrl-C. See docs/consume.md.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.events import DeploymentEventTrigger

from data.release import Release, open_release

TRIGGER = DeploymentEventTrigger(
    name="textmill published",
    expect={"textmill.release.published"},
    match={"prefect.resource.id": "textmill.release.*"},  # or one pipeline: textmill.release.simplewiki
    parameters={"lake": "{{ event.payload.lake }}", "pipeline": "{{ event.payload.pipeline }}"},
)


@flow(name="count-languages", persist_result=False)
def count_languages(lake: str, pipeline: str, output: str) -> dict[str, Any] | None:
    """Write the number of documents of each language; None where this release was counted before.

    An event may come twice or never, so the flow asks the lake what is published, and a schedule may start it too.
    """
    release = open_release(lake, pipeline)
    page = Path(output) / f"{pipeline}.json"
    if page.exists() and json.loads(page.read_text("utf-8"))["versions"] == release.versions:
        return None
    counted = {"versions": release.versions, "languages": languages(release)}
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(json.dumps(counted, indent=2), "utf-8")
    return counted


def languages(release: Release) -> dict[str, int]:
    """Documents of each language; one column is read."""
    counts = release.scan("corpus").group_by("lang").len().sort("lang").collect()
    return dict(counts.iter_rows())


if __name__ == "__main__":
    folder = str(Path(sys.argv[1]).absolute())
    # An event that comes while nothing serves is not lost: the run waits until something does.
    count_languages.serve(
        name="count-languages", parameters={"output": folder}, triggers=[TRIGGER], pause_on_shutdown=False
    )
