"""Run a stage or a command: failures become one message and an exit code, never a traceback.

``PERSUASION_DEBUG=1`` or ``--debug`` shows the traceback.
"""

import errno
import gc
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from persuasion.errors import Failure

INTERRUPTED, TERMINATED, SURROUNDINGS = 130, 143, 4
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
_DISK |= {errno.EISDIR, errno.ENOTDIR, errno.EEXIST}
SECRET = re.compile(r"(?<=://)[^/\s@]+@|(?<=:/)[^/\s@]+@|hf_\w{16,}|AKIA[0-9A-Z]{16}")
"""What no message and no mirror may repeat: credentials in addresses, tokens."""


def run(main: Callable[[], None]) -> NoReturn:
    """Call ``main`` and exit: 0, the code of its ``Failure``, 4 for the disk or memory, 130/143, else 1."""
    debug = "--debug" in sys.argv[1:] or bool(os.environ.get("PERSUASION_DEBUG"))
    signal.signal(signal.SIGTERM, _terminate)
    gc.freeze()  # what was imported stays to the end
    gc.enable()
    try:
        main()
    except (Exception, KeyboardInterrupt, Terminated) as error:
        code, message = _explain(error)
        if debug:
            traceback.print_exc()
        print(f"persuasion: {SECRET.sub('', message)}", file=sys.stderr)
        raise SystemExit(code) from None
    raise SystemExit(0)


class Terminated(BaseException):
    """SIGTERM arrived; unwinds the stack so that temporary files are removed."""


def _terminate(signum: int, frame: object) -> NoReturn:
    raise Terminated


def _explain(error: BaseException) -> tuple[int, str]:
    """Give ``(exit code, message)`` for whatever stopped the run."""
    match error:
        case Failure():
            return error.exit_code, str(error)
        case KeyboardInterrupt():
            return INTERRUPTED, "interrupted; run the same command again to continue"
        case Terminated():
            return TERMINATED, "terminated; run the same command again to continue"
        case _ if isinstance(error, MemoryError) or _torch_lacks_memory(error):
            return (
                SURROUNDINGS,
                "out of memory\n  fix: lower train.batch_size, compute.batch_tokens or encoding's limits",
            )
        case OSError() if error.errno in _DISK:
            return SURROUNDINGS, f"{error.strerror}\n  where: {error.filename or 'unknown path'}"
        case _:
            return 1, (
                f"internal error: {type(error).__name__}: {error}\n"
                "  fix: run again with PERSUASION_DEBUG=1 and report the traceback"
            )


def _torch_lacks_memory(error: BaseException) -> bool:
    """Torch's own errors, known by name and words, so that a stage without torch need not import it."""
    return type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)
