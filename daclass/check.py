"""What is wrong with a study before it runs: what it will be refused for, and what is not here."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from daclass.config import FolderData, PetriData, PredictionsData, Study, TinyImageNetData
from daclass.errors import InputError
from daclass.wording.runs import few_runs


def check(study: Study) -> list[str]:
    """Look at what a study asks for beyond its settings: its network, its files, this machine.

    Returns:
        What this machine lacks, in a line each, since studies are checked on login nodes as well;
        and what few seeds cannot show.

    Raises:
        InputError: training would be refused on any machine: there is no such network, or a file or
            folder that the study names is not there.
    """
    _files(study)
    read_files(study)
    return [] if study.sweep is None else [*_seeds(study), *_pictures(study), *_training(study)]


def _files(study: Study) -> None:
    data = study.data
    if not isinstance(data, PetriData | PredictionsData) and not data.root.exists():
        raise InputError(f"data.root: {data.root}: no such folder")
    if isinstance(data, PredictionsData) and data.images_folder and not data.images_folder.is_dir():
        raise InputError(f"data.images_root: {data.images_folder}: no such folder")
    if isinstance(data, FolderData):
        for split in data.splits:
            if not (data.root / split).is_dir():
                raise InputError(f"data.root: {data.root} has no folder {split}")
    for file in [*data.input_files(), *(study.training.input_files if study.sweep else [])]:
        if not Path(file).exists():
            raise InputError(f"{file}: no such file")


def read_files(study: Study) -> None:
    """Read what a study names besides its pictures and predictions, as far as it is here.

    Raises:
        InputError: a file is damaged, or is not about the study's classes and pictures.
    """
    from daclass.data.embeddings import read_embeddings

    names: list[str] = []
    if isinstance(study.data, FolderData) and study.data.root.is_dir():
        names = _read_about_pictures(study.data)
    embeddings, training = study.analysis.categories.embeddings, study.training
    if embeddings and embeddings.exists():
        read_embeddings(embeddings, names)
    weights = training.class_weights
    if study.sweep and names and isinstance(weights, Path) and weights.exists():
        from daclass.training.balance import read_class_weights

        read_class_weights(weights, names)
    if study.sweep and isinstance(training.init, Path) and find_spec("torch"):
        from daclass.training.initial import initial_state

        initial_state(training)


def _read_about_pictures(data: FolderData) -> list[str]:
    """Read the class tree and the annotations of folders of pictures; the names of the classes."""
    from daclass.data.annotations import read_annotations
    from daclass.data.classes import Classes
    from daclass.data.labels import labelled_pictures
    from daclass.data.listing import list_pictures
    from daclass.data.predictions.labels import listed_classes
    from daclass.data.tabular import read_csv

    if data.labels:
        listed = labelled_pictures(data.root, data.labels)
        judged = listed[listed["split"] == "val"] if data.labels.split else listed
        names = sorted(listed["name"].unique())
    else:
        splits = [list_pictures(data.root, split) for split in data.splits]
        judged, names = splits[-1], sorted({name for split in splits for name in split["name"]})
    if isinstance(data.classes, Path) and data.classes.exists():
        tree, _ = listed_classes(read_csv(data.classes, "name", "path"), str(data.classes))
        if lacking := sorted(set(names) - set(tree.names)):
            raise InputError(f"{data.classes}: lacks the class {lacking[0]}")
    if isinstance(data.annotations, Path) and data.annotations.exists():
        read_annotations(data.annotations, list(judged["image_id"]), Classes(names))
    return names


def _pictures(study: Study) -> Iterator[str]:
    """What is odd about the training pictures of a folder, as far as their names tell.

    Raises:
        InputError: there are too few for a batch.
    """
    if not isinstance(study.data, FolderData):
        return
    from daclass.data.balance import training_counts, uneven

    counts, training = training_counts(study.data), study.training
    each = counts.clip(upper=study.data.train_per_class)
    if training.batch_size > each.sum():
        raise InputError(
            f"training.batch_size: {training.batch_size} is more than the {each.sum()} training "
            "pictures"
        )
    balanced = training.class_weights != "none" or training.sampler != "shuffled"
    if not balanced and (remark := uneven(each)):
        yield f"data: {remark}"


def _seeds(study: Study) -> Iterator[str]:
    for phase in study.phases:
        said = few_runs(len(study.seeds(phase)), "seeds")
        if said:
            yield f"{phase}: {said}"


def _training(study: Study) -> Iterator[str]:
    if study.training.loader == "ffcv" and find_spec("ffcv") is None:
        yield "training.loader: FFCV is not installed here; torchvision in its place needs none"
    if find_spec("torch") is None:
        yield "PyTorch is not installed here: the network's name is not checked"
        return
    import torch

    from daclass.training.models import build_model

    with torch.device("meta"):  # shapes alone, no numbers: a moment for any network
        build_model(study.training, 2)
    yield from _start(study)
    yield from _cores(study)
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    device, _, number = study.machine.device.partition(":")
    wanted = int(number) + 1 if number else study.machine.devices
    if device == "cuda" and wanted > there:
        yield f"machine.device: {study.machine.device}: {there or 'no'} usable GPUs here"
    elif study.training.precision == "float16" and not there:
        yield "training.precision: float16 needs a GPU, and there is none here"


def _start(study: Study) -> Iterator[str]:
    """What is odd about the weights that training starts from.

    Raises:
        InputError: there are none, or a file's are another network's.
    """
    from daclass.training.initial import colours, initial_model, initial_state, origin

    training = study.training
    if training.init == "random":
        return
    origin(training)
    if training.init == "pretrained":
        yield f"training.init: the weights of {training.model} are fetched where they are not yet"
    else:
        initial_model(training, 2, initial_state(training))
    if isinstance(study.data, TinyImageNetData):
        yield (
            "training.init: Tiny-ImageNet's pictures are ImageNet's; weights that were trained on "
            "ImageNet have seen the ones that they are judged by"
        )
    published = colours(training)
    if published and published != (training.mean, training.std):
        mean, std = (", ".join(f"{value:g}" for value in values) for values in published)
        yield (
            f"training.mean, training.std: the weights of {training.model} were trained with "
            f"[{mean}] and [{std}]"
        )


def _cores(study: Study) -> Iterator[str]:
    """Which kinds of GPU would wait for the cores that a job has."""
    from daclass.plan.cores import demand, told
    from daclass.plan.speed import published
    from daclass.realised import known_sizes

    for speed in published(study) if study.machine.device != "cpu" else ():
        if speed.unit != "core":
            found = demand(study, "sweep", speed.pictures, known_sizes(study))
            if found.share < 1:
                yield told(study, found, speed.unit)
