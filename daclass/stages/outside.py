"""What files that no stage wrote hold: pictures, annotations, predictions, class trees.

Content decides, not times: a file that was touched, moved or restored from a backup is the same
file, and one that was replaced by another of the same size and time is another. Since reading
150 GB at every start would take too long, what was read is kept: a hash stands as long as a file's
size, both of its times (of its content and of its entry, which no program sets at will) and its
inode are those that were seen when it was read.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from daclass.atomic import replacing
from daclass.augment.pictures import hash_of
from daclass.errors import InputError

THREADS = 32  # on a network disk a file's status is a question and an answer; many wait at a time
SEEN = ["size", "changed", "entry_changed", "inode"]
UNREADABLE = (OSError, pa.ArrowException, ValueError, KeyError)


class Outside:
    """Hashes of outside files and folders, kept in a folder of the study.

    Args:
        folder: where they are kept.
        look: whether files are looked at; else what is kept is believed, where there is any, as by
            the jobs of a workflow whose main process has looked.
    """

    def __init__(self, folder: Path, *, look: bool = True) -> None:
        self._folder, self._look = folder, look
        self._found: dict[str, str] = {}
        self._known: dict[str, pd.DataFrame] = {}
        self._new: dict[Path, pd.DataFrame] = {}

    def look(self) -> None:
        """From now on, look at all files, and again at those that were looked at."""
        self._look = True
        self._found.clear()
        self._known.clear()

    def content(self, paths: Sequence[Path]) -> str:
        """Hash of the contents of files, and of the names and contents of all files in folders.

        Raises:
            InputError: a file cannot be read.
        """
        if not paths:
            return ""
        places = "\n".join(map(str, paths))
        if places not in self._found:
            contents = self._contents(paths)
            # Where a folder lies does not count, so names are those below it.
            lines = [
                f"{os.path.relpath(place, root)}\0{content}"
                for root in paths
                for place, content in _below(contents, root)
            ]
            text = "\n".join(lines).encode(errors="surrogateescape")
            self._found[places] = hashlib.sha256(text).hexdigest()[:16]
        return self._found[places]

    def hashes(self, paths: Sequence[Path]) -> dict[str, str]:
        """Hash of each file's content by its path, for files and all that lies in folders.

        Raises:
            InputError: a file cannot be read.
        """
        contents = self._contents(paths).items() if paths else ()
        return {str(place): str(content) for place, content in contents}

    def keep(self) -> None:
        """Write down what was found, so that it need not be read again."""
        for file, known in self._new.items():
            with replacing(file) as partial:
                pq.write_table(pa.Table.from_pandas(known), partial, write_page_checksum=True)
        self._new.clear()

    def _contents(self, paths: Sequence[Path]) -> pd.Series:
        """Hashes by path, from what is kept where a file looks as it did."""
        places = "\n".join(map(str, paths))
        if places not in self._known:
            file = self._folder / f"{hashlib.sha256(places.encode()).hexdigest()[:16]}.parquet"
            known = _read(file)
            if self._look or known.empty:
                now = _listed(paths)
                if not now.equals(known[SEEN]):
                    known = self._new[file] = _hashed(now, known)
            self._known[places] = known
        return self._known[places]["content"]


def verify_kept(file: Path) -> None:
    """Read what is kept of one set of files.

    Raises:
        InputError: it is damaged.
    """
    try:
        pq.read_table(file, page_checksum_verification=True)
    except UNREADABLE:
        raise InputError(f"{file}: damaged; what it is about is read again") from None


def _read(file: Path) -> pd.DataFrame:
    """What is kept of one set of files: by path, what was seen, and the content's hash."""
    try:
        known = pq.read_table(file, page_checksum_verification=True).to_pandas()
        return known[[*SEEN, "content"]]
    except UNREADABLE:  # none yet, or damaged: everything is read again
        empty = pd.DataFrame(columns=[*SEEN], dtype="int64").assign(content="")
        return empty.set_axis(pd.Index([], dtype=str))


def _below(contents: pd.Series, root: Path) -> Iterator[tuple[str, str]]:
    own, inside = str(root), f"{root}{os.sep}"
    for place, content in contents.items():
        if place == own or str(place).startswith(inside):
            yield str(place), content


def _listed(paths: Sequence[Path]) -> pd.DataFrame:
    """What is seen of all files now, by path, without reading them."""
    rows: dict[str, tuple[int, ...]] = {}
    folders: list[str] = []
    for path in paths:
        if path.is_dir():
            folders += [where for where, _, _ in os.walk(path, followlinks=True)]
        elif path.exists():
            rows[str(path)] = _status(path.stat())
    with ThreadPoolExecutor(THREADS) as pool:
        for found in pool.map(_files, folders):
            rows.update(found)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=SEEN, dtype="int64")
    return table.set_axis(table.index.astype(str)).sort_index()


def _files(folder: str) -> dict[str, tuple[int, ...]]:
    rows = {}
    with os.scandir(folder) as found:
        for entry in found:
            if not entry.is_dir():
                try:
                    rows[entry.path] = _status(entry.stat())
                except OSError:  # a link that leads nowhere: whoever opens it will say so
                    rows[entry.path] = _status(entry.stat(follow_symlinks=False))
    return rows


def _status(status: os.stat_result) -> tuple[int, ...]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _hashed(now: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """`now` with hashes: those that are known of what looks the same, and new ones."""
    before = known.reindex(now.index)
    same = (before[SEEN] == now[SEEN]).all(axis=1)
    fresh = list(now.index[~same])
    contents = before["content"].where(same)
    with (
        ThreadPoolExecutor(2 * len(os.sched_getaffinity(0))) as pool,
        tqdm(desc="contents", total=len(fresh), unit="file", delay=5, mininterval=2) as bar,
    ):
        # Some at a time: a pool keeps what it is handed, and ImageNet has 1.3 million.
        for start in range(0, len(fresh), 4096):
            some = fresh[start : start + 4096]
            contents.loc[some] = list(pool.map(_hash, some))
            bar.update(len(some))
    return now.assign(content=contents.astype(str))


def _hash(file: str) -> str:
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 (paths may be bytes that are no text)
            return hash_of(opened)
    except OSError as error:
        if Path(file).is_symlink():
            return "leads nowhere"
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
