"""A page that takes too long is given up; what is quick is left alone."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Callable
from unittest import mock

import pytest

from pipelines import extract, watchdog
from pipelines.sources.records import Record
from pipelines.watchdog import PageTimeoutError, limited, survives


def for_ever() -> None:
    while True:
        pass


def record(number: int) -> Record:
    return Record(doc_id=f"w:{number}", source="w", origin="d", text=f"text {number}", markup="wikitext")


def slow_for(number: int, original: Callable[..., object]) -> Callable[..., object]:
    def to_text(text: str, **options: object) -> object:
        return for_ever() if text == f"text {number}" else original(text, **options)

    return to_text


def test_work_over_its_time_is_stopped() -> None:
    with pytest.raises(PageTimeoutError), limited(0.05):
        for_ever()


def test_work_within_its_time_goes_on_and_leaves_no_timer() -> None:
    before = signal.getsignal(signal.SIGPROF)
    with limited(5.0, deadly=True):
        pass
    assert signal.getitimer(signal.ITIMER_PROF)[0] == 0
    assert signal.getsignal(signal.SIGPROF) is before


def test_nothing_is_limited_off_the_main_thread() -> None:
    done = []
    thread = threading.Thread(target=lambda: done.append(limited(0.01).__enter__()))
    thread.start()
    thread.join()
    assert done == [None]
    assert signal.getitimer(signal.ITIMER_PROF)[0] == 0


def test_a_slow_page_is_rejected_and_the_others_are_not() -> None:
    with mock.patch.object(extract, "to_text", slow_for(2, extract.to_text)):
        documents, rejects = extract.extract([record(1), record(2), record(3)], page_seconds=0.1)
    assert documents["doc_id"].to_list() == ["w:1", "w:3"]
    assert rejects.select("doc_id", "kind", "reason").rows() == [("w:2", "failed", "page_timeout")]


def test_a_call_that_never_comes_back_ends_the_process_alone() -> None:
    with mock.patch.object(watchdog, "_GRACE", 0):
        assert not survives(lambda: re.match("(a+)+$", "a" * 60 + "b"), 0.1)


def test_quick_work_and_faulty_work_survive() -> None:
    assert survives(lambda: None, 1.0)
    assert survives(lambda: 1 // 0, 1.0)
    assert os.getpid() != 0
