"""Class numbers from names and numbers: the one place where a value of a file becomes an index."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from daclass.data.tabular import shorten
from daclass.errors import InputError, refuse_unshowable

IGNORED = ("255", "-1", "-100")
"""Labels by which other programs mark pictures that do not count."""
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,8})(\.0*)?")


def whole_number(value: object) -> int | None:
    """The number from 0 to 999,999,999 that a value is: 3, 3.0, "3" and "3.0", but not "03".

    None for anything else, such as a truth value, which Python counts among the numbers.
    """
    if isinstance(value, str):
        found = _NUMBER.fullmatch(value.strip())
        return int(found[1]) if found else None
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        return None
    return int(value) if 0 <= value < 10**9 and value == int(value) else None


UNORDERED = (
    "and nothing says in which order they are numbered: classes=[...], or --classes (data.classes) "
    "with a file that has a column name, gives their names in that order"
)


class Classes:
    """The classes of a study, and what values stand for them.

    A text is the class of that name. A number is a class's place in the list, from 0. Where the
    numbers in the files are all that names the classes (`numbered`), a number is a name as well.
    Where the labels alone name them, as texts (not `ordered`), no number is a class.

    Attributes:
        names: class names by class number.
        numbered: whether the names are the numbers that the files have.
        ordered: whether anything says which class is the first.
    """

    def __init__(
        self, names: Sequence[str], *, numbered: bool = False, ordered: bool = True
    ) -> None:
        self.names = tuple(names)
        self.numbered = numbered
        self.ordered = ordered
        self._known = {_plain(name): number for number, name in enumerate(names)}
        called = [(number, whole_number(name)) for number, name in enumerate(names)]
        # Folders called 0, 1, 10, 11, 2: is 2 the third class or the one called so? Names such as
        # 010, which are no plain numbers, leave the same doubt unless ten is their place.
        called += [
            (number, int(name))
            for number, name in enumerate(names)
            if re.fullmatch("0[0-9]{1,8}", name)
        ]
        self._doubtful = any(other is not None and other != number for number, other in called)

    def __len__(self) -> int:
        return len(self.names)

    def number(self, value: object) -> int:
        """The class number of one value; -1 where it stands for no class."""
        if isinstance(value, (str, bool, np.bool_)):
            known = self._known.get(_plain(str(value)))
            if known is not None:
                return known
            if self._doubtful:
                return -1
        place = whole_number(value)
        if place is None:
            return -1
        if self.numbered or self._doubtful or not self.ordered:
            return self._known.get(str(place), -1)
        return place if place < len(self.names) else -1

    def numbers(
        self, values: pd.Series, what: str, place: Callable[[int], str]
    ) -> npt.NDArray[np.int32]:
        """The class number of each value, int32 [rows].

        Args:
            values: names or numbers, one per row.
            what: what they are, for the message.
            place: where a row, from 0, comes from, for the message.

        Raises:
            InputError: a value is missing or stands for no class, naming the row, from 1; or the
                values are numbers, and classes are called by numbers that are not their places.
        """
        missing = values.isna().to_numpy()
        if missing.any():
            raise InputError(f"{place(int(missing.argmax()))}: {what} is missing")
        text = not pd.api.types.is_numeric_dtype(values)
        if self._doubtful and not self.numbered and not text and len(values):
            raise InputError(
                f"{place(0)}: {what}: classes are called by numbers that are not their places, "
                f"such as {self.names[-1]!r}; give their names as text"
            )
        # By distinct value, since there are few classes and many rows.
        codes, distinct = pd.factorize(values)
        found = np.fromiter((self.number(value) for value in distinct), np.int32, len(distinct))
        numbers = found[codes]
        wrong = numbers < 0
        if wrong.any():
            row = int(wrong.argmax())
            value = values.iloc[row]
            raise InputError(
                f"{place(row)}: {what} {shorten(value)} is no class: {self.described()}"
                f"{self._hint(value, what)}"
            )
        return numbers

    def _hint(self, value: object, what: str) -> str:
        """What a value that is no class may be."""
        text = f"{value:.0f}" if isinstance(value, (float, np.floating)) else shorten(value)
        text = value if isinstance(value, str) else text
        if not text.strip():
            return "; an empty text names none"
        if what == "label" and text in IGNORED:
            return f"; where {text} marks pictures to be ignored, leave them out"
        zeros = [name for name in self.names if name.lstrip("0") == text != name]
        return f"; has {zeros[0]} lost its zeros? Give names as text" if zeros else ""

    def described(self) -> str:
        """What may stand for a class, for messages."""
        if self.numbered:
            return f"they are called {self.names[0]} to {self.names[-1]}"
        if not self.ordered:
            return f"they are called {self.names[0]!r} to {self.names[-1]!r}, {UNORDERED}"
        return (
            f"they are numbered 0 to {len(self) - 1}, from {self.names[0]!r} to {self.names[-1]!r}"
        )


def names_of(values: Sequence[pd.Series], place: Callable[[int], str]) -> Classes:
    """The classes for want of a list: the numbers that occur, or the sorted distinct texts.

    Args:
        values: the labels first, then what else holds class numbers, such as predictions. Where the
            labels are numbers, classes that only the others name are classes without pictures;
            where they are texts, the labels have to name all classes.
        place: where a row of the labels, from 0, comes from, for the message.

    Raises:
        InputError: a label is missing or empty, or there are numbers and texts among the labels:
            one stray text would make texts of all and number them in another order.
    """
    labels = values[0]
    missing = labels.isna().to_numpy() | (labels.astype(str).str.strip() == "").to_numpy()
    distinct = list(labels.unique())
    numbers = [None if _padded(distinct) else whole_number(value) for value in distinct]
    some = any(number is not None for number in numbers)
    if missing.any() or (some and None in numbers):
        odd = missing if missing.any() else labels.map(whole_number).isna().to_numpy()
        row = int(odd.argmax())
        if missing.any() and labels.isna().iloc[row]:
            raise InputError(f"{place(row)}: label is missing")
        if missing.any():
            raise InputError(f"{place(row)}: label '' is no class: an empty text names none")
        other = next(value for value, n in zip(distinct, numbers, strict=True) if n is not None)
        raise InputError(
            f"{place(row)}: label {shorten(labels.iloc[row])} is no class: it is no whole number "
            f"from 0, though other labels are, such as {shorten(other)}; digits with zeros before "
            "them are names where all have one length"
        )
    if not some:
        for label in distinct:
            row = int((labels == label).to_numpy().argmax())
            refuse_unshowable(place(row), "label", [str(label).strip()])
        texts = sorted({str(label).strip() for label in distinct})
        truths = all(isinstance(value, (bool, np.bool_)) for value in distinct)  # False comes first
        return Classes(texts, ordered=truths)
    found = {whole_number(value) for column in values for value in column.unique()}
    return Classes([str(n) for n in sorted(n for n in found if n is not None)], numbered=True)


def _padded(labels: Sequence[object]) -> bool:
    """Whether labels are digits filled with zeros to one width, such as 007 and 010: names."""
    texts = [label for label in labels if isinstance(label, str) and label.isascii()]
    return (
        len(texts) == len(labels)
        and all(text.isdecimal() for text in texts)
        and len({len(text) for text in texts}) == 1
        and any(text.startswith("0") and len(text) > 1 for text in texts)
    )


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip())
