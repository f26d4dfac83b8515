"""Runs scenarios in forked processes, so that imports are paid once: `python driver.py MODULE`, a JSON line an order.

Nothing of Polars is computed before the fork, or the child would wait for threads that it does not have.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn


def main() -> None:
    """Carry out orders until the input ends; each is answered with what its process took."""
    scenarios = import_module(sys.argv[1])
    scenarios.warm_up()

    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            carry_out(scenarios, order)
        _, status, usage = os.wait4(child, 0)
        answer = {
            "status": os.waitstatus_to_exitcode(status),
            "cpu": usage.ru_utime + usage.ru_stime,
            "peak": usage.ru_maxrss,
        }
        print(json.dumps(answer), flush=True)


def carry_out(scenarios: Any, order: dict[str, Any]) -> NoReturn:
    """In the child: arm the faults and run a scenario, ending as the command line does."""
    from data.disk import told

    for stream in (sys.stdout, sys.stderr):
        os.dup2(os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), stream.fileno())
    os.environ.update(order["environment"], FAULT_ROOT=str(os.getpid()))
    ctypes.CDLL(None).fault_arm()
    status = 70
    try:
        scenarios.remember_judgements(Path(order["judgements"]))
        getattr(scenarios, order["scenario"])(**order["arguments"])
        status = 0
    except BaseException as error:
        if (known := told(error)) is None:
            traceback.print_exc()
        else:
            print(f"textmill: {known}", file=sys.stderr)
            status = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
