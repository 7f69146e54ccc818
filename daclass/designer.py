"""What a designer of policies declares about itself, and the designers that are installed.

Here and not in `daclass.analysis.designers`, because a study's config, figures and documentation
ask a designer for its words and its needs without running it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from daclass.augment.registry import Registry

TESTED, BEST, REFERENCE = "uniform_tested", "uniform_best", "uniform_reference"
"""The baselines: what designed policies change and fine-tuning goes on from, the best strength on
average, and what drops are measured from."""
CONTROL, PRIMARY = "random_classes", "fp_informed"
"""The control, and the policy that is a study's question; all others are candidates."""
FINE_TUNED = "fine_tuned_"
"""What the name of a policy that networks were fine-tuned under begins with."""


@dataclass(frozen=True)
class Designer:
    """A designer: the function, and all that others have to know of it.

    Attributes:
        name: what configs call it, and what the names of its policies begin with.
        design: the function of `daclass.analysis.designers.Evidence` that returns a `Design`; its
            docstring is the designer's entry in the reference. With `settings`, also of these.
        title: what readers call its policies, such as "weaker for swallowers".
        summary: one sentence, or two, on what such a policy is.
        role: baseline: always designed and trained, and all others are compared with it. control:
            its draws are averaged, and all others are compared with the average.
        changes_m: it changes at most as many classes as `interventions.classes` says: one policy
            for each number there.
        needs: what its policy follows from: the results of the whole "sweep"; those of "one run",
            the sweep's weakest strength with its first seed; or "nothing" but the config.
        suits: whether a study of an axis (`daclass.augment.Axis`) can ask for it.
        each_strength: one policy for every strength of the sweep, named by the strength.
        draws: one policy for each of `interventions.random_draws` draws, numbered from 1.
        settings: the model of its own settings, which `interventions.settings` gives under its
            name; each has a default. None where it has none.
    """

    name: str
    design: Callable[..., Any]
    title: str
    summary: str
    role: Literal["baseline", "policy", "control"] = "policy"
    changes_m: bool = False
    needs: Literal["sweep", "one run", "nothing"] = "sweep"
    suits: Callable[[Any], bool] = lambda axis: True
    each_strength: bool = False
    draws: bool = False
    settings: type[BaseModel] | None = None

    def __call__(self, evidence: Any, settings: Mapping[str, Any] | None = None) -> Any:
        """The `Design` that follows from an `Evidence`.

        Raises:
            pydantic.ValidationError: settings that the designer does not have, or wrong ones.
        """
        if self.settings is None:
            return self.design(evidence)
        return self.design(evidence, self.settings.model_validate(settings or {}))

    @property
    def doc(self) -> str:
        """The docstring of its function."""
        return inspect.getdoc(self.design) or ""


def designer(title: str, summary: str, **declared: Any) -> Callable[[Callable[..., Any]], Designer]:
    """Decorate a function so that it is a `Designer` of the function's name.

    Args:
        title, summary: as of `Designer`.
        declared: its other attributes, where they are not the default.
    """

    def declare(design: Callable[..., Any]) -> Designer:
        return Designer(design.__name__, design, title, summary, **declared)

    return declare


DESIGNERS = Registry("daclass.designers", Designer)
"""The designers of all installed packages, by name."""
