import os

import pytest
from hypothesis import settings as hypothesis

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("DVC_NO_ANALYTICS", "1")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

hypothesis.register_profile("house", deadline=None)  # timings assert nothing
hypothesis.load_profile("house")


def pytest_addoption(parser):
    parser.addoption("--fuzz", type=int, metavar="N", help="try N examples of each property, anew each time")
    parser.addoption("--kills", type=int, metavar="N", default=3, help="kill each stage N times")


def pytest_configure(config):
    if examples := config.getoption("--fuzz"):
        hypothesis.register_profile("fuzz", deadline=None, max_examples=examples)
        hypothesis.load_profile("fuzz")


@pytest.fixture(autouse=True, scope="session")
def user_settings(tmp_path_factory):
    """This user's settings in a folder of their own, for subprocesses too: no test touches a real key."""
    before = os.environ.get("XDG_CONFIG_HOME")
    folder = tmp_path_factory.mktemp("settings")
    os.environ["XDG_CONFIG_HOME"] = str(folder)
    yield folder
    if before is None:
        del os.environ["XDG_CONFIG_HOME"]
    else:
        os.environ["XDG_CONFIG_HOME"] = before


@pytest.fixture(scope="session")
def mlflow_server():
    """A real MLflow server with PostgreSQL behind it."""
    from tests.mlserver import running

    with running() as address:
        yield address


@pytest.fixture(scope="module")
def server():
    """Runs the real stages on a tiny model, a process for each run."""
    from tests.workbench import Server  # torch takes seconds, which most tests need not spend

    with Server() as running:
        yield running
