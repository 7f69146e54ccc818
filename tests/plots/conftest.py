"""Made-up studies for the figures' tests."""

import functools
import sys
from pathlib import Path

import pytest

# Tests are imported by path and share no package: this makes the helper known by its name.
sys.path.insert(0, str(Path(__file__).parent))

from synthetic_study import study_tables


@pytest.fixture(scope="session")
def tables():
    return study_tables()


@pytest.fixture(scope="session")
def make_tables():
    return functools.cache(study_tables)
