"""CIFAR-10's class tree, and CIFAR-10H: what some 50 people said of each of its test pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from daclass.data.listing import list_pictures
from daclass.errors import InputError

# Where CIFAR-10's classes stand among each other, for want of a tree of its own: WordNet's
# hypernyms, thinned to the nodes that tell the ten classes apart.
TREE = {
    "airplane": "object/artifact/vehicle/craft/airplane",
    "ship": "object/artifact/vehicle/craft/ship",
    "automobile": "object/artifact/vehicle/motor vehicle/automobile",
    "truck": "object/artifact/vehicle/motor vehicle/truck",
    "bird": "object/animal/vertebrate/bird",
    "frog": "object/animal/vertebrate/frog",
    "cat": "object/animal/vertebrate/mammal/carnivore/cat",
    "dog": "object/animal/vertebrate/mammal/carnivore/dog",
    "deer": "object/animal/vertebrate/mammal/ungulate/deer",
    "horse": "object/animal/vertebrate/mammal/ungulate/horse",
}
CLASSES = sorted(TREE)  # CIFAR-10's own order, which is alphabetical


def votes(folder: Path, pictures: Path, vote_share: float) -> pd.DataFrame:
    """The labels of CIFAR-10's 10,000 test pictures by the votes, columns image_id and name.

    Args:
        folder: holds the votes, cifar10h-counts.npy, int [10000, 10] in CIFAR-10's test order.
        pictures: holds test/<class>/<number>.
        vote_share: a label counts from this share of a picture's votes on, and the one with the
            most votes in any case.

    Raises:
        InputError: a file is missing or damaged, or the pictures are not CIFAR-10's.
    """
    names = {"cifar10h_counts.npy", "cifar10h-counts.npy"}
    files = [folder / name for name in sorted(names) if (folder / name).is_file()]
    if not files:
        raise InputError(f"data.root: {folder} lacks the human votes, cifar10h-counts.npy")
    counted = _numbers(files[0], (10000, 10))
    silent = np.flatnonzero(~(counted.sum(axis=1) > 0))
    if len(silent) or counted.min() < 0:
        raise InputError(f"{files[0]}: row {silent[0] if len(silent) else 0}: no votes")
    test = list_pictures(pictures, "test")
    numbers = test.groupby("name")["image_id"].transform(lambda ids: range(len(ids)))
    if list(test["image_id"].map(lambda image_id: Path(image_id).stem)) != [
        f"{number:04d}" for number in numbers
    ]:
        raise InputError(f"{pictures / 'test'}: pictures must be called 0000 to 0999 in each class")
    # The votes come in CIFAR-10's own test order, in which the n-th file of a class is its n-th
    # picture; the order's labels come with torchvision's batches or beside the votes.
    order = _test_labels(folder)
    position = np.argsort(order, kind="stable")  # class by class, in test order
    if list(test["name"]) != [CLASSES[label] for label in order[position]]:
        raise InputError(
            f"{pictures / 'test'}: expected the 1,000 test pictures of each CIFAR-10 class"
        )
    share = counted[position] / counted[position].sum(axis=1, keepdims=True)
    counts = (share >= vote_share) | (share == share.max(axis=1, keepdims=True))
    row, label = np.nonzero(counts)
    return pd.DataFrame(
        {
            "image_id": test["image_id"].to_numpy()[row],
            "name": np.array(CLASSES)[label],
        }
    )


def _test_labels(root: Path) -> np.ndarray:
    beside = root / "test_labels_in_cifar_order.npy"
    if beside.is_file():
        labels = _numbers(beside, (10000,))
        if not set(np.unique(labels)) <= set(range(10)):
            raise InputError(f"{beside}: expected class numbers from 0 to 9")
        return labels.astype(int)
    from torchvision.datasets import CIFAR10

    try:
        return np.array(CIFAR10(root, train=False).targets)
    except RuntimeError:
        raise InputError(
            f"data.root: {root} holds neither cifar-10-batches-py nor "
            "test_labels_in_cifar_order.npy; one is needed to join the votes"
        ) from None


def _numbers(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    """The array of a .npy file."""
    try:
        found = np.load(file, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InputError(f"{file}: not an array ({error})") from None
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "iuf" or found.shape != shape:
        what = f"{found.dtype} {found.shape}" if isinstance(found, np.ndarray) else "an archive"
        raise InputError(f"{file}: expected numbers of shape {shape}, got {what}")
    return found
