import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_home():
    """Folder of the real data: SKSEQ_DATA_HOME, or shared/data beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    home = Path(os.environ.get("SKSEQ_DATA_HOME") or beside)
    if not home.is_dir():
        pytest.skip(
            f"needs real data: {home} is not a folder; SKSEQ_DATA_HOME may name another"
        )
    return home


@pytest.fixture
def no_programs():
    """Let every network of the test be built in the test, and not be used later."""
    import skseq

    skseq.clear_programs()
    yield
    skseq.clear_programs()
