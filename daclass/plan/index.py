"""The index of a study, where the one that lies there is of these settings."""

from __future__ import annotations

import pandas as pd

from daclass.config import Layout, Study
from daclass.stages import jobs_of
from daclass.stages.stage import table


def current_index(study: Study, layout: Layout) -> pd.DataFrame | None:
    """Table "index"; None before there is one, and where other settings of `data` made it.

    Raises:
        InputError: the table or its receipt is damaged.
    """
    jobs, item = jobs_of(study, layout), table("index")
    job = jobs.writer(item)
    receipt = job.receipt
    if receipt is None or receipt.digest != job.digest or not item.path(layout).is_file():
        return None
    found: pd.DataFrame = jobs.read(item)
    return found
