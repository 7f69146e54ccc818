"""Arrays of predictions or scores, alone or in a .npy, .npz or .pt file, as rows."""

from __future__ import annotations

import io
import pickle
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from daclass.data.limits import check_size
from daclass.data.predictions.rows import Rows, rows_of_arrays
from daclass.data.predictions.scores import ranked
from daclass.errors import InputError

PREDICTIONS = ("predictions", "prediction", "preds", "pred", "y_pred")
SCORES = ("scores", "logits", "outputs", "probabilities", "probs", "softmax")
LABELS = ("labels", "label", "targets", "target", "y_true")


def read_arrays(file: Path) -> dict[str, np.ndarray]:
    """The arrays of a .npy, .npz or .pt file; what has no name is called "". Nothing is unpickled.

    Raises:
        InputError: the file is missing or damaged, holds something else, or is too large.
    """
    if not file.is_file():
        raise InputError(f"{file}: no such file")
    match file.suffix.lower():
        case ".npz":
            return _npz(file)
        case ".npy":
            with file.open("rb") as stream:
                return {"": _array(file, stream, file.stat().st_size)}
        case _:
            return _torch(file)


def rows_of(
    arrays: Mapping[str, np.ndarray],
    file: Path,
    names: Callable[[int], pd.Series],
    pictures: int | None,
) -> Rows:
    """The rows of a file's arrays.

    Args:
        arrays: what `read_arrays` gives.
        file: names them in messages, and the model where nothing else does.
        names: names of the pictures where the file gives none, by their number.
        pictures: how many are labelled, where that is known.

    Raises:
        InputError: an array is missing, or shapes do not fit.
    """
    key = _key(arrays, file)
    values, given = arrays[key], arrays.get("models")
    models = None if given is None else [str(model) for model in given.ravel()]
    where = f"{file}: {key}" if key else str(file)
    if given is not None and given.ndim != 1:
        raise _misshapen(where, values, given)
    labels = next((arrays[name] for name in LABELS if name in arrays), None)
    if pictures is None and labels is not None:
        pictures = len(labels)
    told = arrays.get("probabilities") if key not in SCORES else None
    return array_rows(
        values,
        where,
        str(file),
        file.stem,
        models,
        pictures if "images" not in arrays else arrays["images"].size,
        lambda number: (
            pd.Series(arrays["images"].astype(str)) if "images" in arrays else names(number)
        ),
        told,
        labels,
    )


def array_rows(
    values: np.ndarray,
    where: str,
    file: str,
    stem: str,
    models: Sequence[str] | None,
    pictures: int | None,
    names: Callable[[int], pd.Series],
    told: np.ndarray | None = None,
    labels: np.ndarray | None = None,
) -> Rows:
    """The rows of one array: class numbers or names [N], [M, N] or [M, N, k], or scores.

    Scores are floats [N, C] or [M, N, C] that are not all whole.

    Args:
        values: the array.
        where, file: what it is, for messages.
        stem: what a model is called where `models` is None.
        models: [M] names.
        pictures: N, where it is known.
        names: names of the pictures, by their number.
        told: probability of the first class, [M, N], or of all that are ranked, [M, N, k].
        labels: original classes, [N].

    Raises:
        InputError: the shape is none of these.
    """
    if values.ndim == 2 and values.shape[1] == 1 != pictures == len(values):
        values = values[:, 0]  # a column
    scores = values.dtype.kind == "f" and values.ndim > 1 and not _classes_of_runs(values, pictures)
    if not scores and len(values) == pictures and is_one_hot(values):
        raise _one_hot(where, values.shape[1])
    runs = 3 if scores else 2  # dimensions, with several runs
    block = values[None] if values.ndim == runs - 1 else values
    if models is None:
        models = [stem] if len(block) == 1 else [f"{stem}[{run}]" for run in range(len(block))]
    if block.ndim == 2 and not scores:
        block = block[:, :, None]
    if block.ndim != 3 or len(models) != len(block):
        raise _misshapen(where, values, np.asarray(models))
    if pictures is not None and block.shape[1] != pictures:
        turned = (
            " (are pictures and classes, or runs, swapped?)" if pictures in values.shape else ""
        )
        raise InputError(
            f"{where}: covers {block.shape[1]} pictures, there are {pictures} names{turned}"
        )
    images = names(block.shape[1])
    if not scores:
        _check_ranking(block, where)
        probability = None if told is None else _first(told, block, where)
        return rows_of_arrays(block, models, images, file, probability=probability, labels=labels)
    top, chance, ties = zip(*(ranked(own, where) for own in block), strict=True)
    notes = []
    if sum(ties):
        notes = [
            f"{where}: the highest score is that of several classes for {sum(ties)} of "
            f"{block.shape[0] * block.shape[1]} predictions; the first of them was taken."
        ]
    return rows_of_arrays(
        np.stack(top), models, images, file,
        probability=np.stack(chance) if not np.isnan(chance).any() else None,
        labels=labels, scores=block.shape[2], notes=notes,
    )  # fmt: skip


def is_one_hot(values: np.ndarray) -> bool:
    """Whether numbers have a 1 in each row, in one of several columns, and are 0 elsewhere."""
    if values.dtype.kind not in "iufb" or values.ndim != 2 or values.shape[1] < 2:
        return False
    marks = values == 1
    return bool((marks | (values == 0)).all() and (marks.sum(axis=1) == 1).all())


def _one_hot(where: str, depth: int) -> InputError:
    return InputError(
        f"{where}: one-hot rows are no rankings: all {depth} numbers are 0 or 1. Give class "
        "numbers, such as argmax(axis=-1) of it, or scores as floats"
    )


def _classes_of_runs(values: np.ndarray, pictures: int | None) -> bool:
    """Whether floats are class numbers of runs [M, N] rather than scores [N, C]."""
    fits = values.ndim == 2 and pictures == values.shape[1] != values.shape[0]
    return fits and bool((values == np.floor(values)).all())


def _check_ranking(block: np.ndarray, where: str) -> None:
    """Refuse what has the form of a ranking and is none."""
    depth = block.shape[2]
    if depth == 1:
        return
    numbers = block.dtype.kind in "iub"
    if numbers and depth == 2 and block.size and block.min() >= 0 and block.max() <= 1:
        raise InputError(
            f"{where}: holds {block.shape[2]} numbers for each picture, all 0 or 1: one-hot, or a "
            "ranking of two classes? Give class numbers alone, or scores as floats"
        )
    if numbers and ((block == 0) | (block == 1)).all():
        raise _one_hot(where, depth)


def _first(told: np.ndarray, block: np.ndarray, where: str) -> np.ndarray:
    if told.shape[:2] != block.shape[:2]:
        raise InputError(f"{where}: probabilities have shape {told.shape}, it {block.shape}")
    return told.reshape(*block.shape[:2], -1)[:, :, 0]


def _misshapen(where: str, values: np.ndarray, models: np.ndarray) -> InputError:
    return InputError(
        f"{where} has shape {values.shape} and models {models.shape}; expected class numbers "
        "[models, pictures] or [models, pictures, ranks], or scores as floats [pictures, classes] "
        "or [models, pictures, classes], and [models]"
    )


def _key(arrays: Mapping[str, np.ndarray], file: Path) -> str:
    """The array with the predictions or scores."""
    found = [name for name in arrays if name in PREDICTIONS or name.startswith("top")]
    found = found or [name for name in SCORES if name in arrays]
    others = [n for n in arrays if n not in (*LABELS, "models", "images")]
    if len(found) != 1 and len(others) == 1:
        found = others
    if len(found) != 1:
        raise InputError(
            f"{file}: needs one array of predictions (or top5) or of logits; has {[*arrays]}"
        )
    return found[0]


def _npz(file: Path) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            check_size(2 * sum(member.file_size for member in members), file)
            arrays = {}
            for member in members:
                with archive.open(member) as stream:
                    content = io.BytesIO(stream.read())
                arrays[member.filename.removesuffix(".npy")] = _array(
                    file, content, member.file_size
                )
            return arrays
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise InputError(
            f"{file}: not a readable .npz file ({' '.join(str(error).split())})"
        ) from None


def _array(file: Path, stream: io.BufferedReader | io.BytesIO, size: int) -> np.ndarray:
    """An array in numpy's format, whose header must not promise more than there is."""
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        else:
            shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
        wanted = dtype.itemsize
        for side in shape:
            wanted *= side
        if dtype.hasobject:
            raise ValueError("it holds Python objects, which would have to be unpickled")
        if wanted > size:
            raise ValueError(f"it says that it holds {shape}, and holds less")
        check_size(2 * wanted, file)
        stream.seek(0)
        return np.lib.format.read_array(stream, allow_pickle=False)
    except (ValueError, EOFError, OSError, SyntaxError) as error:
        kind = file.suffix.lower()
        what = " ".join(str(error).split())
        raise InputError(f"{file}: not a readable {kind} file ({what})") from None


def _torch(file: Path) -> dict[str, np.ndarray]:
    try:
        import torch
    except ModuleNotFoundError:
        raise InputError(
            f"{file}: torch, which reads .pt files, is not installed; save the array as .npy"
        ) from None
    check_size(2 * file.stat().st_size, file)
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise InputError(
            f"{file}: not a .pt file of tensors alone, and nothing is unpickled: save a tensor, or "
            "a dictionary of tensors, with torch.save"
        ) from None
    except Exception as error:  # torch's readers raise errors of many types for damaged files
        what = str(error).split("\n")[0]
        raise InputError(f"{file}: not a .pt file of tensors alone ({what})") from None
    tensors = content if isinstance(content, dict) else {"": content}
    arrays = {}
    for name, value in tensors.items():
        if isinstance(value, torch.Tensor):
            value = value.detach()
            value = value.float() if value.is_floating_point() else value
            arrays[str(name)] = value.numpy()
        elif isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
            arrays[str(name)] = np.array(value, str)
        else:
            raise InputError(f"{file}: {name or 'it'} is no tensor but {type(value).__name__}")
    return arrays
