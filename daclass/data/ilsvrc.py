"""ImageNet's pictures, from image-net.org's archives into folders by WordNet id."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import re
import tarfile
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

from tqdm import tqdm

from daclass.data.archives import complete, extract, opened
from daclass.data.imagenet import synsets
from daclass.errors import InputError

TRAIN = "ILSVRC2012_img_train.tar"
VAL = "ILSVRC2012_img_val.tar"
DEVKIT = "ILSVRC2012_devkit_t12.tar.gz"
MD5 = {
    TRAIN: "1d675b47d978889d74fa0da5fadfb00e",
    VAL: "29b22e2961454d5413ddabcf34fc5622",
    DEVKIT: "fa75699e90414af021442c21a62c3abf",
}
"""Published checksums, as in torchvision.datasets.imagenet."""
LIMITS = 2**26, 2**34
"""Bytes of one picture and of all in one archive; the validation pictures take 6.7 GB."""


def unpack(root: Path, labels: Path | None = None, check: bool = True) -> None:
    """Extract the archives in `root` into <root>/train/<WordNet id>/ and <root>/val/<WordNet id>/.

    What is there already stays, and is said: after an interruption, classes that are complete are
    not extracted again. Classes are extracted side by side.

    Args:
        root: folder with the archives, ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar and, for
            the classes of the validation pictures, ILSVRC2012_devkit_t12.tar.gz.
        labels: instead of the devkit, a text file with a line for each validation picture in the
            order of their names: a WordNet id, or the number of one in their sorted order, from 0.
        check: compare the archives with their published checksums first.

    Raises:
        InputError: an archive is missing, damaged, or not the published one, holds something else
            than ImageNet's class archives or validation pictures, or labels and pictures do not
            match; or there is a val/ without ImageNet's class folders.
    """
    train, val, devkit = (root / name for name in (TRAIN, VAL, DEVKIT))
    wanted = _lacking(root / "train")
    val_is_there = (root / "val").exists()
    if val_is_there and (lacking := _lacking(root / "val")):
        raise InputError(
            f"{root / 'val'}: there is no class folder {lacking[0]} with pictures; move val/ away, "
            f"for {VAL} to be extracted, or sort its pictures into class folders"
        )
    needed = [train] if wanted else []
    if not val_is_there:
        needed += [val, *([] if labels else [devkit])]
    for archive in needed:
        if not archive.is_file():
            raise InputError(f"{archive}: no such file")
        if check:
            _check_md5(archive)
    if not val_is_there:
        ids = _ids_from(labels) if labels else _ids_of_devkit(devkit)
        _unpack_val(val, ids, root / "val")
    if wanted:
        _unpack_train(train, root / "train", wanted)


def _lacking(folder: Path) -> list[str]:
    """ImageNet's classes that have no folder with anything in it; says how many have one."""
    every = synsets()
    lacking = [
        name for name in every if not (folder / name).is_dir() or not any((folder / name).iterdir())
    ]
    if len(lacking) < len(every):
        there = f"{len(every) - len(lacking):,} of {len(every):,}"
        logging.info("%s: %s classes are there already and stay as they are", folder, there)
    return lacking


def _check_md5(archive: Path) -> None:
    md5 = hashlib.md5(usedforsecurity=False)
    size = archive.stat().st_size
    with archive.open("rb") as file, _bar(archive.name, size, "B") as bar:
        while part := file.read(1 << 22):
            md5.update(part)
            bar.update(len(part))
    if md5.hexdigest() != MD5[archive.name]:
        raise InputError(
            f"{archive}: MD5 {md5.hexdigest()} is not the published {MD5[archive.name]}; fetch it "
            "again, or --no-check"
        )


def _unpack_train(archive: Path, folder: Path, wanted: Collection[str]) -> None:
    """Each class's own archive is read where it lies in the large one."""
    with opened(archive, "r:") as tar:
        members = {Path(member.name).stem: member for member in _class_archives(archive, tar)}
    lacking = sorted(set(synsets()) - set(members))
    if lacking:
        raise InputError(
            f"{archive}: lacks {lacking[0]}.tar; it holds {len(members):,} classes of "
            f"{len(synsets()):,}"
        )

    def one(name: str) -> None:
        inner = archive / members[name].name
        with archive.open("rb") as file, complete(folder / name) as partial:
            file.seek(members[name].offset_data)
            with opened(inner, "r|", _Part(file, members[name].size)) as tar:
                if not list(extract(tar, partial, inner, *LIMITS)):
                    raise InputError(f"{inner}: holds no pictures")

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(tqdm(pool.map(one, wanted), desc="train", total=len(wanted), unit="class"))


def _class_archives(archive: Path, tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    names = {f"{name}.tar" for name in synsets()}
    for member in tar:
        if not member.isfile() or member.name not in names:
            raise InputError(
                f"{archive}: {member.name} is no class's archive, n01440764.tar or so, or is there "
                "twice"
            )
        names.remove(member.name)
        yield member


class _Part(io.RawIOBase):
    """The next `size` bytes of a file, so that a damaged archive is not read beyond its end."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self.file, self.left = file, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self.file.read(min(len(buffer), self.left))
        buffer[: len(content)] = content
        self.left -= len(content)
        return len(content)


def _unpack_val(archive: Path, ids: Sequence[str], folder: Path) -> None:
    with complete(folder) as partial, opened(archive, "r:") as tar:
        count = 0
        files = extract(tar, partial, archive, *LIMITS)
        for file in tqdm(files, desc="val", total=len(ids), unit="picture", mininterval=2):
            found = re.fullmatch(r"ILSVRC2012_val_(\d{8})\.JPEG", file.name)
            if not found or not 1 <= int(found[1]) <= len(ids):
                raise InputError(f"{archive}: {file.name} has none of the {len(ids)} labels")
            target = partial / ids[int(found[1]) - 1] / file.name
            target.parent.mkdir(exist_ok=True)
            file.rename(target)
            count += 1
        if count != len(ids):
            raise InputError(f"{archive}: holds {count} pictures, and there are {len(ids)} labels")


def _ids_of_devkit(archive: Path) -> list[str]:
    """The WordNet id of each validation picture, in the order of their names."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    names = ("meta.mat", "ILSVRC2012_validation_ground_truth.txt")
    found = {}
    with opened(archive) as tar:
        for member in tar:
            name = Path(member.name).name
            content = tar.extractfile(member) if member.isfile() and name in names else None
            if content:
                found[name] = content.read()
    if set(found) != set(names):
        raise InputError(f"{archive}: lacks {sorted(set(names) - set(found))[0]}")
    try:
        table = loadmat(io.BytesIO(found[names[0]]), squeeze_me=True)["synsets"]
        of_number = {int(row["ILSVRC2012_ID"]): str(row["WNID"]) for row in table}
        return [of_number[int(line)] for line in found[names[1]].split()]
    except (MatReadError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{archive}: not the devkit of ILSVRC2012 ({error!r})") from None


def _ids_from(file: Path) -> list[str]:
    """As `_ids_of_devkit`, from a text file."""
    if not file.is_file():
        raise InputError(f"{file}: no such file")
    every = synsets()
    ids = []
    try:
        words = file.read_text(encoding="utf-8").split()
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not a text file ({error})") from None
    for number, word in enumerate(words, 1):
        if word in every:
            ids.append(word)
        elif word.isdecimal() and int(word) < len(every):
            ids.append(every[int(word)])
        else:
            raise InputError(f"{file}: row {number}: {word} is no WordNet id or number of ImageNet")
    return ids


def _bar(what: str, total: int, unit: str) -> tqdm[Any]:
    return tqdm(desc=what, total=total, unit=unit, unit_scale=True, mininterval=2)
