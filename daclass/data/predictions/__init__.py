"""Predictions that other programs made, as a study's tables.

Formats, told by the file's ending; each but .parquet, .npy, .npz and .pt may end in .gz besides:

- .csv, .tsv, .json, .jsonl and .parquet hold tables. Long ones have one row for each (model,
  picture): `image`; `prediction`, the class ranked first, or a list of ranked classes; optionally
  `second` to `fifth`; `model`, unless the file holds one, which is then named as the file is;
  optionally `condition` and `replicate` (where no separate table of models gives them),
  `probability` of the prediction in [0, 1], and `label`, which must agree with the labels' file.
  Wide ones have one row for each picture and a column for each model, or for each class with its
  score. `data.columns` maps other names.
- .npz holds `predictions` or `top5` (any array with that name or starting with "top"): classes
  [M, N] or, ranked, [M, N, k]; or `logits` or `probabilities`, floats [N, C] or [M, N, C]; where
  there are several models `models` [M], their names; optionally `images` [N], `labels` [N] and,
  beside predictions, `probabilities` [M, N] or [M, N, k].
- .npy and .pt hold one such array; .pt may hold a dictionary of tensors, as .npz does.

Nothing is unpickled. Classes are class numbers or class names (see `daclass.data.classes`).
Pictures are joined by id or file name, and by position only where arrays come without `images`,
which then must have one column for every labelled picture.
"""

from daclass.data.predictions.join import Joined, join
from daclass.data.predictions.read import read_parts, read_predictions

__all__ = ["Joined", "join", "read_parts", "read_predictions"]
