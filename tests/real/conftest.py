import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data():
    """The folder of real dumps and pair files, which the project never carries."""
    folder = os.environ.get("PERSUASION_REAL_DATA")
    if not folder:
        pytest.skip("PERSUASION_REAL_DATA is unset: NO REAL DATA WAS READ by this test")
    return Path(folder)
