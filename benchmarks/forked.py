"""Measure in a child of this process: imports are paid once, and every measurement starts from the same clean heap.

The parent must do nothing with torch but import it: threads do not survive a fork.
"""

import json
import os
import resource
import sys
import traceback
from collections.abc import Callable
from typing import Any

from persuasion.errors import SurroundingsFailure

MIB = 1 << 20


def measured(function: Callable[..., Any], *given: Any) -> Any:
    """Return ``function(*given)``, a JSON value, as a child found it. Raises SurroundingsFailure when it fails."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if not child:
        os.close(reading)
        _answer(writing, function, given)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        answer = stream.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise SurroundingsFailure(f"{function.__name__} failed in a child of the benchmark", why=f"status {status}")
    return json.loads(answer)


def _answer(writing: int, function: Callable[..., Any], given: tuple[Any, ...]) -> None:
    """The child's whole life: no handler of the parent's runs, nothing buffered is written twice."""
    code = 1
    try:
        os.dup2(2, 1)  # what libraries print is no part of the table
        found = json.dumps(function(*given)).encode()
        with os.fdopen(writing, "wb") as stream:
            stream.write(found)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def peak_mib() -> float:
    """The largest resident set of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
