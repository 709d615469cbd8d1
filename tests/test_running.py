import os
import signal
import subprocess
import sys
import time

import pytest

from persuasion import errors

HEAD = "from persuasion.running import run\nfrom persuasion.errors import *\n"


def ran(body: str, **env: str) -> subprocess.CompletedProcess:
    code = f"{HEAD}def main():\n    {body}\nrun(main)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **env})


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ("pass", 0, ""),
        ("raise UsageFailure('a', where='b', why='c', fix='d')", 2, "persuasion: a\n  where: b\n  why: c\n  fix: d\n"),
        ("raise DataFailure('a')", 3, "persuasion: a\n"),
        ("raise MemoryError", 4, "out of memory"),
        ("import torch; torch.empty(1 << 50)", 4, "out of memory"),
        ("open('/proc/nothing/x', 'w')", 1, "internal error: FileNotFoundError"),
        ("open('/', 'w')", 4, "Is a directory"),
        ("open('/dev/full', 'w').write('x' * 99999)", 4, "No space left"),
        ("raise DataFailure('a', where='https://me:hidden@host/x')", 3, "where: https://host/x"),
        ("raise KeyboardInterrupt", 130, "interrupted"),
        ("1 / 0", 1, "internal error: ZeroDivisionError"),
    ],
)
def test_what_stops_a_run_is_one_message_and_a_code(body, code, says):
    done = ran(body)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback():
    done = ran("1 / 0", PERSUASION_DEBUG="1")
    assert done.returncode == 1 and "Traceback" in done.stderr


def test_exit_codes_are_the_contract():
    codes = {kind.__name__: kind.exit_code for kind in errors.Failure.__subclasses__()}
    assert sorted(codes.values()) == [2, 3, 4, 5, 6, 7, 8]


def test_sigterm_unwinds_and_exits_143(tmp_path):
    body = (
        "import time, pathlib\n    from persuasion.files import replaced\n"
        f"    with replaced(pathlib.Path({str(tmp_path)!r}) / 'out') as p:\n"
        "        p.write_text('half'); print('ready', flush=True); time.sleep(60)"
    )
    code = f"{HEAD}def main():\n    {body}\nrun(main)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 143 and "terminated" in said
    assert list(tmp_path.iterdir()) == []


def test_only_the_imports_of_a_stage_go_without_garbage_collection():
    starting = "import gc, sys; sys.argv[0] = '-m'; import stages; assert not gc.isenabled()\n"
    done = subprocess.run([sys.executable, "-c", f"{starting}{HEAD}run(lambda: sys.exit(7 + gc.isenabled()))"])
    assert done.returncode == 8
    imported = "import gc, stages; assert gc.isenabled()"
    assert subprocess.run([sys.executable, "-c", imported]).returncode == 0
