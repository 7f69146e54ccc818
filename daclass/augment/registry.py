"""What installed packages declare under a name: the axes and the designers, daclass's own included.

A package declares one by an entry point (packaging.python.org, "Entry points specification")::

    [project.entry-points."daclass.axes"]
    desaturation = "my_package.desaturation:DESATURATION"

Names are read from the installed packages' metadata; the object behind a name is imported when it
is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from daclass.augment.errors import AugmentError

OWN = "daclass"

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """The objects that installed packages declare under one group of entry points, by name.

    Args:
        group: of the entry points, such as "daclass.axes".
        kind: what each object is an instance of; its attribute `name` is that of its entry point.

    Raises:
        AugmentError: where names are asked for: two packages declare one name, or the metadata of
            the installed daclass is older than its code; where an object is: it cannot be imported,
            is of another kind, or has another name.
    """

    def __init__(self, group: str, kind: type[T]) -> None:
        self.group = group
        self._kind = kind
        self._loaded: dict[str, T] = {}

    @cached_property
    def _points(self) -> dict[str, EntryPoint]:
        found: dict[str, EntryPoint] = {}
        for point in entry_points(group=self.group):
            if point.name in found:
                raise AugmentError(
                    f"{self.group}: both {_package(found[point.name])} and {_package(point)} "
                    f"declare {point.name}; uninstall one of them"
                )
            found[point.name] = point
        if not any(_is_own(point) for point in found.values()):
            raise AugmentError(
                f"the metadata of the installed daclass names no {self.group}, because it is older "
                "than the code; install it again: python -m pip install --no-deps -e . in a "
                "checkout, else python -m pip install --force-reinstall --no-deps daclass"
            )
        return {name: found[name] for name in sorted(found)}

    def __getitem__(self, name: str) -> T:
        if name not in self._loaded:
            self._loaded[name] = self._load(self._points[name])
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._points

    def __iter__(self) -> Iterator[str]:
        return iter(self._points)

    def __len__(self) -> int:
        return len(self._points)

    def versions(self, names: Iterable[str]) -> dict[str, str]:
        """Of those that other packages bring, "package version" by name.

        What they do to pictures or classes is no part of daclass's own version, so a digest of
        results that rest on them holds this too.
        """
        points = {name: self._points[name] for name in sorted(set(names))}
        return {name: _package(point) for name, point in points.items() if not _is_own(point)}

    def is_own(self, name: str) -> bool:
        """Whether daclass brings it itself."""
        return _is_own(self._points[name])

    def _load(self, point: EntryPoint) -> T:
        where = f"{_package(point)} declares {point.name} in {self.group} as {point.value}"
        try:
            found = point.load()
        except (ImportError, AttributeError) as error:
            raise AugmentError(f"{where}, which cannot be imported: {error}") from error
        if not isinstance(found, self._kind):
            raise AugmentError(f"{where}, which is no {self._kind.__name__} but {found!r}")
        if getattr(found, "name", point.name) != point.name:
            raise AugmentError(f"{where}, whose own name is {getattr(found, 'name', '')!r}")
        return found


def _is_own(point: EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == OWN


def _package(point: EntryPoint) -> str:
    """Name and version of the package that declares it."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else "a package without metadata"
