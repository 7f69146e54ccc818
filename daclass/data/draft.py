"""Write the first config of a study from a survey of its pictures."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from daclass.augment.plain_yaml import dump_yaml
from daclass.config import Training
from daclass.config.analysis import VIEWS
from daclass.config.training import EXACT_AT_MOST, FROM_WEIGHTS
from daclass.data.balance import uneven
from daclass.data.imagenet import class_names, synsets
from daclass.data.survey import Survey
from daclass.data.wordnet import class_path
from daclass.errors import InputError, printable

VAL_SHARE = 0.2
FEW_CLASSES = 5  # fewer leave no classes for the random control
VAL_CROP = 0.875
STEPS = 1500  # that a training should have at least, where that takes no more than 40 epochs
SPLITS = {"train": "for training", "val": "for validation"}
SHOWN = 5  # names of a list that people read


def report(survey: Survey) -> str:
    """What was found, in lines for people; warnings come last."""
    return "\n".join(printable(line) for line in [*_found(survey), *_warnings(survey)])


def draft(survey: Survey, config: Path, threads: int = 1, *, pretrained: bool = False) -> str:
    """A study's YAML, with comments, that runs as it is.

    Args:
        config: the file it will be written to; the comments name it.
        threads: of one training job.
        pretrained: whether networks start from published weights.
    """
    recipe = _recipe(survey, pretrained)
    head = [
        "Drafted by `daclass init`: what it found, and settings that fit. Look them through, then",
        printable(f"  daclass check {shlex.quote(str(config))}"),
        printable(f"  daclass study {shlex.quote(str(config))}"),
        "",
        *report(survey).splitlines(),
    ]
    loader = "ffcv" if find_spec("ffcv") else "torchvision"
    title = f"Random resized crops on {survey.root.name}"
    settings = [
        (f"name: {study_name(survey.root)}", ""),
        (f"title: {_scalar(title)}", ""),
        ("data:", ""),
        ("  source: folder", ""),
        (f"  root: {_scalar(str(survey.root))}", ""),
        *_data(survey),
        ("beton:", ""),
        (f"  write_mode: {recipe.write_mode}", "raw keeps pixels, jpg compresses them again"),
        *_limit(recipe),
        ("training:", ""),
        (f"  model: {recipe.model}", "any timm model, or small_resnet up to 64 px"),
        *([("  init: pretrained", "weights that timm fetches; or a file")] if pretrained else []),
        (f"  resolution: {recipe.resolution}", "px; time grows with its square"),
        (f"  val_resolution: {recipe.resolution}", ""),
        (f"  val_crop: {VAL_CROP}", "side of the central square that validation sees"),
        (f"  epochs: {recipe.epochs}", ""),
        (f"  batch_size: {recipe.batch_size}", ""),
        (f"  learning_rate: {recipe.learning_rate:g}", ""),
        (f"  precision: {_precision()}", "bfloat16 is faster on a GPU that has it"),
        *_colours(survey, pretrained),
        (f"  loader: {loader}", "ffcv, or torchvision, which is slower"),
        ("machine:", ""),
        (f"  threads: {threads}", "of one job; as many jobs run as the cores allow"),
        ("sweep:", ""),
        ("  strengths: [0.08, 0.25, 0.5, 0.75, 0.99]", "least share that a crop keeps"),
        ("  seeds: [0, 1, 2, 3, 4]", "two at least; more seeds, narrower intervals"),
        ("analysis:", ""),
        ("  reference: 0.75", "what the strength that is best on average is compared with"),
        *_interventions(survey),
    ]
    lines = [f"# {line}".rstrip() for line in head]
    lines += [f"{text:44}# {comment}" if comment else text for text, comment in settings]
    return "\n".join(lines) + "\n"


Lines = list[tuple[str, str]]  # a line of the config, and a comment


def _precision() -> str:
    """Mixed precision where there is a GPU for it; bfloat16, of whose range nothing overflows."""
    if find_spec("torch") is None:
        return "float32"
    import torch

    if not torch.cuda.is_available():
        return "float32"
    return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"


def _colours(survey: Survey, pretrained: bool) -> Lines:
    """These pictures' colours, unless the weights that training starts from know others."""
    default = Training()
    mean, std = (default.mean, default.std) if pretrained else (survey.mean, survey.std)
    whose = "of the weights' pictures" if pretrained else "of these pictures"
    return [(f"  mean: {_triple(mean)}", whose), (f"  std: {_triple(std)}", "")]


def _limit(recipe: _Recipe) -> Lines:
    limit = recipe.max_resolution
    return [(f"  max_resolution: {limit}", "px: larger pictures are shrunk")] if limit else []


def _interventions(survey: Survey) -> Lines:
    if len(survey.classes) < FEW_CLASSES:
        return [
            ("# No interventions: there are no classes left to compare the affected ones with.", "")
        ]
    return [
        ("interventions:", "policies for single classes; leave out to stop after the sweep"),
        ("  seeds: [5, 6, 7]", "fresh ones"),
    ]


@dataclass(frozen=True)
class _Recipe:
    model: str
    resolution: int
    write_mode: str
    max_resolution: int | None
    epochs: int
    batch_size: int
    learning_rate: float


def _recipe(survey: Survey, pretrained: bool) -> _Recipe:
    """Settings of the studies that come with daclass, for the nearest size of pictures and set."""
    shorter = int(np.median(np.minimum(survey.heights, survey.widths)))
    count = int((survey.kept["split"] == "train").sum())
    if survey.val is None:
        count = int(count * (1 - VAL_SHARE))
    # About 25 steps per epoch, but no batch too small for batch normalisation.
    fits = 2 ** int(math.log2(max(8, count / 25)))
    batch = min(fits, 256 if count >= 200_000 else 128 if count >= 20_000 else 64, count)
    epochs = min(40, max(12, math.ceil(STEPS * batch / count)))
    rate = 0.1 * batch / 64
    if pretrained:
        epochs, rate = FROM_WEIGHTS["epochs"], FROM_WEIGHTS["learning_rate"]
    elif shorter < 96:
        side = max(8, min(48, 3 * shorter // 4 // 4 * 4))
        side, limit = _sides(survey, [side + more for more in (0, 4, 8, 12)], 4)
        return _Recipe("small_resnet", side, "raw", limit, epochs, batch, rate)
    side, limit = _sides(survey, (128, 112, 96) if shorter >= 128 else (96, 80, 64), 2)
    return _Recipe("resnet18", side, "jpg", limit, epochs, batch, rate)


def _sides(survey: Survey, wished: Sequence[int], room: int) -> tuple[int, int | None]:
    """Sides in px of the training pictures and of the longest stored one.

    The latter is at most `room` times the former, which is the first wish that hardly any stored
    picture has, whole or as validation sees it: pictures that are not resampled stand out.
    """
    shorter = np.minimum(survey.heights, survey.widths)
    longer = np.maximum(survey.heights, survey.widths)
    for side in wished:
        limit = room * side if longer.max() > room * side else None
        stored = shorter if limit is None else shorter * np.minimum(1, limit / longer)
        sides, views = np.rint(stored).astype(int).tolist(), (VAL_CROP, *VIEWS)
        if Training(val_resolution=side).shown_exactly(sides, views) <= EXACT_AT_MOST:
            break
    return side, limit


def _data(survey: Survey) -> Lines:
    lines = [] if survey.labels else [(f"  train: {_scalar(survey.train)}", "")]
    if survey.labels:
        lines += [("  labels:", "says each picture's class, and all labels of it")]
        given = survey.labels.model_dump(mode="json", exclude_defaults=True)
        lines += [(f"    {name}: {_scalar(value)}", "") for name, value in given.items()]
    if survey.val is None:
        lines.append((f"  val_share: {VAL_SHARE}", "set aside for validation; nothing is moved"))
    elif not survey.labels:
        lines.append((f"  val: {_scalar(survey.val)}", ""))
    lines += _class_tree(survey)
    if _is_imagenet_val(survey):
        lines.append(("  annotations: real", "ReaL's labels, by file name"))
    else:
        lines.append(("  # annotations: labels.csv", "image,label: every label of a picture"))
    draws = 8
    each = survey.smallest("train") // draws
    if survey.val is not None and each >= 50:
        lines += [
            (f"  # draws: {draws}", "with both, every seed trains on pictures of its"),
            (f"  # train_per_class: {each}", "own, and claims reach beyond one training set"),
        ]
    if survey.left_out:
        lines.append(("  leave_out:", "unreadable, or a copy of a validation picture"))
        lines += [(f"    - {_scalar(image_id)}", "") for image_id in survey.left_out]
    return lines


def _class_tree(survey: Survey) -> Lines:
    """What can be said of the classes' places in a tree, and of ReaL."""
    ids = all(re.fullmatch(r"n\d{8}", name) for name in survey.classes)
    try:
        for name in survey.classes:
            class_path(name)
    except InputError:
        return [("  # classes: classes.csv", "name,path: a tree, such as gull,animal/bird/gull")]
    if not ids:
        return [("  # classes: wordnet", "a tree by the names' first meanings, if they fit")]
    lines = [("  classes: wordnet", "")]
    if find_spec("timm") and set(survey.classes) <= set(synsets()) and not _is_imagenet_val(survey):
        lines.append(("  overlap: real", "which classes share pictures, by ReaL's labels"))
    return lines


def _is_imagenet_val(survey: Survey) -> bool:
    """Whether ReaL's labels can be joined to the validation pictures."""
    if not find_spec("timm") or survey.val is None:
        return False
    val = survey.kept.loc[survey.kept["split"] == "val", "image_id"]
    numbers = val.str.extract(r"ILSVRC2012_val_(\d{8})\b", expand=False).astype(float)
    named = any(set(survey.classes) <= set(names) for names in (synsets(), class_names()))
    return named and bool(numbers.between(1, 50_000).all())


def _found(survey: Survey) -> Iterator[str]:
    count = survey.kept["split"].value_counts()
    yield f"{survey.root}: {len(survey.classes):,} classes"
    if survey.below:
        yield f"{survey.below} holds nothing else, so this is the folder that the study takes"
    for split, folder in (("train", survey.train), ("val", survey.val)):
        if folder:
            where = "the folder itself" if folder == "." else f"{folder}/"
            where = SPLITS[split] if survey.labels else where
            fewest = survey.smallest(split)
            yield f"{where}: {count[split]:,} pictures that can be used, {fewest:,} or more a class"
    if survey.val is None:
        yield (
            f"no folder for validation: {VAL_SHARE:.0%} of each class's pictures, chosen by "
            "content, will serve for it; nothing is moved"
        )
    sides = np.sort(np.minimum(survey.heights, survey.widths))
    yield (
        f"shorter side {sides[0]:,} to {sides[-1]:,} px, half of them up to "
        f"{sides[len(sides) // 2]:,} (of {len(sides):,} measured)"
    )
    every = survey.opened == len(survey.pictures)
    which = "all pictures were" if every else f"{survey.opened:,} pictures, a sample, were"
    yield f"{which} opened; {len(survey.unreadable):,} cannot be used"
    for trait, number in sorted(survey.traits.items()):
        yield f"  {number:,} {trait}"
    part = "all pictures" if survey.compared == 1 else f"{survey.compared:.1%} of the pictures"
    yield f"{part} were compared by content: {survey.copies:,} copies within a class and split"
    for ending, number in sorted(survey.ignored.items()):
        yield f"passed over: {number:,} ({ending})"


def _warnings(survey: Survey) -> Iterator[str]:
    if survey.unreadable:
        reasons = [reason.removeprefix(f"{survey.root}/") for _, reason in survey.unreadable]
        yield "! left out, since they cannot be used:"
        yield from _listing(reasons)
    if survey.opened < len(survey.pictures):
        yield "! pictures that were not opened may be unreadable too; --seconds opens more"
    if len(survey.leaked):
        pairs = survey.leaked.agg(" = ".join, axis=1)
        yield "! left out, since they are validation pictures too:"
        yield from _listing(list(pairs))
    if len(survey.contradictions):
        pairs = survey.contradictions.agg(" = ".join, axis=1)
        yield "! one content, two classes; which is right?"
        yield from _listing(list(pairs))
    fewest = survey.smallest("val") if survey.val else round(VAL_SHARE * survey.smallest("train"))
    if fewest < 50:
        yield (
            f"! a class has {max(fewest, 1)} validation pictures: one is "
            f"{100 / max(fewest, 1):.1f} points of its accuracy, and intervals will be wide"
        )
    if survey.nested:
        yield "! folders within class folders; their pictures count for the class above them:"
        yield from _listing([f"{folder}/" for folder in survey.nested])
    counts = survey.kept.loc[survey.kept["split"] == "train", "name"].value_counts()
    if remark := uneven(counts):
        yield f"! {remark}"
    if survey.unused:
        yield f"! not used: {', '.join(f'{name}/' for name in survey.unused)}"
    if len(survey.classes) < FEW_CLASSES:
        yield f"! {len(survey.classes)} classes are too few for interventions with controls"


def _listing(names: Sequence[str]) -> Iterator[str]:
    """One a line, the first few."""
    more = [f"and {len(names) - SHOWN:,} more"] if len(names) > SHOWN else []
    for name in [*names[:SHOWN], *more]:
        yield f"    {name}"


def study_name(root: Path) -> str:
    """A study's name from a folder's."""
    name = re.sub(r"[^a-z0-9_.-]+", "_", root.resolve().name.lower()).strip("_.-")[:64]
    return name or "study"


def _scalar(text: str) -> str:
    """A string as YAML in one line, quoted where it has to be, with escapes where it has letters
    that cannot be printed."""
    plain = text.isprintable()
    style = None if plain else '"'
    written = dump_yaml(text, default_style=style, allow_unicode=plain, width=10**6)
    return written.removesuffix("...\n").strip()


def _triple(values: Iterable[float]) -> str:
    return f"[{', '.join(f'{value:.3f}' for value in values)}]"
