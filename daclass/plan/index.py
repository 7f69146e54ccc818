"""The index of a study, where the one that lies there is of these settings."""

from __future__ import annotations

import pandas as pd

from daclass.config import Layout, Study
from daclass.tables import read_table, table_digest


def current_index(study: Study, layout: Layout) -> pd.DataFrame | None:
    """Table "index"; None before there is one, and where other settings of `data` made it.

    Raises:
        InputError: the table is damaged.
    """
    path = layout.table("index")
    if not path.is_file() or table_digest("index", path) != study.digest("data"):
        return None
    return read_table("index", path)
