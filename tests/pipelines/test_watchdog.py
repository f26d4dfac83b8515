"""A page that takes too long is given up; what is quick is left alone."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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


def in_a_thread(work: Callable[[], object]) -> object:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def stopped(seconds: float) -> bool:
    try:
        with limited(seconds):
            for_ever()
    except PageTimeoutError:
        return True
    return False


def test_work_over_its_time_is_stopped_in_any_thread() -> None:
    assert in_a_thread(lambda: [stopped(0.02), stopped(0.02)]) == [True, True]
    assert signal.getitimer(signal.ITIMER_PROF)[0] == 0


def test_what_comes_after_the_work_is_not_stopped() -> None:
    def busy(seconds: float) -> None:
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass

    def work() -> str:
        for _ in range(3):
            with limited(0.05):
                busy(0.001)
        busy(0.2)
        return "done"

    assert in_a_thread(work) == "done"


@pytest.mark.parametrize("late", [False, True])
def test_a_watcher_that_is_called_off_in_vain_at_first_is_called_off(late: bool) -> None:
    """The error may arrive while the work is being left."""

    def work() -> str:
        watcher = watchdog._Watcher(60.0)
        watcher.__enter__()
        if late:
            watcher._lock = mock.MagicMock()
            watcher._lock.__enter__.side_effect = [PageTimeoutError, None]
        try:
            watcher.__exit__()
        except PageTimeoutError:
            return f"late, {watcher._done.is_set()}"
        return f"in time, {watcher._done.is_set()}"

    assert in_a_thread(work) == ("late, True" if late else "in time, True")


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
