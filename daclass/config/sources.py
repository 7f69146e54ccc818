"""Where pictures, or predictions, come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from daclass.config.base import ADDED, Count, Pictures, Section, Seed
from daclass.config.petri import PetriSettings


class Sampling(Section):
    """How training pictures are drawn: shared by every source."""

    draws: Count = 1
    """Number of independent draws of the training pictures; seed s trains on draw s mod draws. With
    1, all seeds share the training pictures and claims hold for these; with more, fresh seeds of
    the interventions need fresh draws."""
    split_seed: Seed = 0
    """Decides which validation pictures form the selection half and which the estimation half."""

    @property
    def picture_side(self) -> int | None:
        """Side of the square pictures in px, where the source decides it."""
        return None

    def picture_files(self) -> list[Path]:
        """Where pictures are that nobody has to make: files and folders, as far as they exist."""
        return []

    def input_files(self) -> list[Path]:
        """Files besides the pictures that the index is made from."""
        return []

    def annotation_files(self) -> list[Path]:
        """Files that the validation pictures' label sets are made from."""
        return []


class PerClass(Sampling):
    """How many pictures a study takes of each class, for sources that bring more or fewer."""

    train_per_class: Pictures | None = None
    """Training pictures per class and draw; all of them where not given. Draws are disjoint as long
    as the class has pictures enough."""
    val_per_class: Pictures | None = None
    """Validation pictures per class (the first by a hash of their name); all where not given."""


class PetriData(Sampling):
    """The generated set with planted relations."""

    source: Literal["petri"]
    petri: PetriSettings = PetriSettings()
    """The generated world; `petri.seed` is the data seed."""

    @property
    def picture_side(self) -> int:
        return self.petri.picture_size


class Labels(Section):
    """Which class each picture is of, by a CSV or TSV file.

    Pictures are named by their path below data.root or their file name, with or without its ending.
    A picture may have several labels, in several rows, in several columns or in one field: the
    first is the class it counts for, and where data.annotations is not given, all are its label
    set.
    """

    file: Path
    """The file; a semicolon may part its fields too."""
    picture: str = ""
    """The column that names the picture; found by its name, such as image or id, where not
    given."""
    label: str | tuple[str, ...] = ""
    """The column that names the class; several columns, called as the classes are, hold 1 where the
    picture is of the class and 0 where not. Found by its name, such as label or class, where not
    given; or all other columns, where these hold 0 and 1."""
    separator: str = ""
    """What parts several labels in one field, such as "|" or " "; none where not given. A list in
    brackets, such as ["cat", "dog"], needs none."""
    split: str = ""
    """The column that says train or val (or valid, validation, test) of each row; without it,
    data.val_share says how many pictures serve for validation."""


class FolderData(PerClass):
    """Pictures in folders: <root>/<train>/<class>/<picture> and <root>/<val>/<class>/<picture>; or
    anywhere below root, with their classes in a file.
    """

    source: Literal["folder"]
    root: Path
    """The folder; relative paths start at the working directory."""
    train: str = "train"
    """Name of the subfolder with the training pictures."""
    val: str = "val"
    """Name of the subfolder with the validation pictures."""
    val_share: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Where no subfolder holds validation pictures: this share of each class's pictures in train
    serves for validation instead, chosen by a hash of their content, so that copies of a picture
    stay on one side. Nothing is moved. train may be "." where classes lie in root itself."""
    labels: Annotated[Labels | None, ADDED] = None
    """Where a file says which class a picture is of, and not the name of its folder."""
    leave_out: tuple[str, ...] = ()
    """Pictures that are taken for absent, as paths below root: broken files, or copies."""
    annotations: Path | Literal["real"] | None = None
    """Label sets of the validation pictures: CSV, JSON, or real for ImageNet's ReaL labels; see
    `daclass.data.annotations`. Without it the original label is the only one."""
    classes: Path | Literal["wordnet"] | None = None
    """The class tree: a CSV with columns name,path, path ending in the name; or wordnet, where
    class folders are called by WordNet ids or nouns. Without it how similar classes are is unknown.
    Readers see a path's last part as the class's name; policy files have the folder's."""
    overlap: Literal["real"] | None = None
    """Where the overlap of two classes' labels comes from, which tells ambiguous and co-occurring
    pairs from others: real for ImageNet's 50,000 ReaL label sets, where classes are called by
    WordNet ids and pictures have no annotations; the annotations where not given."""

    @property
    def splits(self) -> tuple[str, ...]:
        """The subfolders with pictures, training first."""
        if self.labels:
            return (".",)
        return (self.train,) if self.val_share else (self.train, self.val)

    @model_validator(mode="after")
    def _says_what_is_for_validation(self) -> FolderData:
        """With `labels`, either `val_share` or `labels.split` is given."""
        if self.labels and bool(self.labels.split) == bool(self.val_share):
            both = "not both" if self.val_share else "one is missing"
            raise ValueError(f"labels.split or val_share says what is for validation: {both}")
        return self

    def picture_files(self) -> list[Path]:
        return [self.root / split for split in self.splits]

    def input_files(self) -> list[Path]:
        given = (self.labels and self.labels.file, self.classes)
        return [file for file in given if isinstance(file, Path)]

    def annotation_files(self) -> list[Path]:
        given = (self.labels and self.labels.file, self.annotations)
        return [file for file in given if isinstance(file, Path)]


class Cifar10hData(PerClass):
    """CIFAR-10 with CIFAR-10H's human votes as multi-label annotations."""

    source: Literal["cifar10h"]
    root: Path
    """Folder with cifar10h_counts.npy and either cifar10_jpeg.tar.xz, the folders train/ and test/,
    or torchvision's cifar-10-batches-py."""
    download: bool = False
    """Let torchvision download CIFAR-10 into root where it is missing. The votes
    (cifar10h-counts.npy) have to be fetched by hand."""
    vote_share: Annotated[float, Field(gt=0, le=1)] = 0.1
    """A label belongs to a picture from this share of the human votes on; the label with the most
    votes always does."""

    @property
    def picture_side(self) -> int:
        return 32

    def picture_files(self) -> list[Path]:
        names = ("train", "test", "cifar10_jpeg.tar.xz", "cifar-10-batches-py")
        return [self.root / name for name in names if (self.root / name).exists()]

    def annotation_files(self) -> list[Path]:
        return sorted(self.root.glob("*.npy"))


class FashionMnistData(PerClass):
    """Fashion-MNIST: ten kinds of clothes, 28 px, grey; its test pictures are for validation."""

    source: Literal["fashionmnist"]
    root: Path = Path("/usr/share/datasets/fashion-mnist")
    """Folder with the four idx files, plain or gzipped, where Debian's dataset-fashion-mnist
    installs them; or torchvision's folder, which has them below FashionMNIST/raw."""

    @property
    def picture_side(self) -> int:
        return 28

    def picture_files(self) -> list[Path]:
        return sorted([*self.root.glob("*ubyte*"), *self.root.glob("FashionMNIST/raw/*ubyte*")])


class TinyImageNetData(PerClass):
    """Tiny-ImageNet: 200 of ImageNet's classes, 500 training and 50 validation pictures of each."""

    source: Literal["tinyimagenet"]
    root: Path
    """The official folder tiny-imagenet-200, a copy whose validation pictures are sorted by class,
    a zip of either, or a folder that holds one of these."""
    classes: tuple[Annotated[str, Field(pattern=r"^n\d{8}$")], ...] = ()
    """WordNet ids of the classes that the study takes; all of them where not given. The class tree
    is WordNet's, and which classes share pictures comes from ReaL's labels of ImageNet."""
    judged_from_train: Annotated[int, Field(ge=0, lt=500)] = 0
    """Training pictures per class, the first by a hash of their name, that are judged beside the
    50 validation pictures, and never trained on."""

    @property
    def picture_side(self) -> int:
        return 64  # of the official set; copies may be smaller

    def picture_files(self) -> list[Path]:
        return [self.root]


class Model(Section):
    """A model that somebody trained."""

    condition: str
    """What it has in common with its replicates."""
    replicate: str = ""
    """Models of different conditions with the same replicate are compared as a pair."""


class Columns(Section):
    """Which column of the files of predictions holds what; each as the files call it. What is left
    out is looked for under its own name, and under some that are usual: see
    `daclass.data.predictions.forms`."""

    image: str | None = None
    """The picture."""
    prediction: str | None = None
    """The class ranked first, or a list of ranked classes."""
    second: str | None = None
    """The class ranked second."""
    third: str | None = None
    """The class ranked third."""
    fourth: str | None = None
    """The class ranked fourth."""
    fifth: str | None = None
    """The class ranked fifth."""
    label: str | None = None
    """The original class."""
    model: str | None = None
    """The model, where a file holds several."""
    condition: str | None = None
    """What the model has in common with its replicates."""
    replicate: str | None = None
    """Models of different conditions with the same replicate are compared as a pair."""
    probability: str | None = None
    """Probability of the prediction."""
    scores: str | tuple[str, ...] | None = None
    """Probabilities or logits of all classes: a column of lists, what the names of the classes'
    columns begin with, or these names."""
    models: tuple[str, ...] = ()
    """Columns that hold one model's predictions each."""


class PredictionsData(Section):
    """Predictions that other programs made: nothing is trained."""

    source: Literal["predictions"]
    root: Path = Path()
    """The folder that the other paths start from; itself relative to the working directory."""
    files: Annotated[tuple[Path, ...], Field(min_length=1)]
    """Predictions as .csv, .tsv, .json, .jsonl (each also .gz), .parquet, .npy, .npz or .pt; see
    `daclass.data.predictions` for what they hold."""
    labels: Path | None = None
    """The pictures and their original classes: a table with columns image,label (CSV, TSV, JSON,
    JSON lines or Parquet), a JSON object of labels by picture, or a text file with one class number
    per line. Where not given, the files of predictions hold them."""
    columns: Columns = Columns()
    """What the columns of the files of predictions are called, where they have other names."""
    pictures: Literal["all", "common"] = "all"
    """all: labels and every model cover the same pictures, or the study is refused. common: the
    pictures that all of them cover are compared, and the report says how many are left out."""
    images: str | None = None
    """Names of the pictures, in order, for files that give none: a pattern such as
    ILSVRC2012_val_{:08d}.JPEG that is filled with 1, 2, 3, ..."""
    images_root: Annotated[Path | None, ADDED] = None
    """A folder that holds the pictures, or some of them, anywhere below it and called as in the
    predictions, with or without endings: the report shows a few."""
    models: Path | dict[str, Model] | None = None
    """Which condition each model belongs to, by the model's name; or a CSV with columns
    model,condition and optionally replicate. Without it the predictions' files need these columns.
    Where neither says so, each condition is the model of its name, or the models in the file of its
    name. Models that are not named are left out."""
    classes: Path | Literal["imagenet", "wordnet"] | None = None
    """CSV with columns name and, for a class tree, path: class number k is its k-th row (from 0).
    Needed where labels are names and predictions numbers or scores. imagenet takes names from
    timm's data files and the tree from WordNet, where that is installed; wordnet looks up the
    classes' own names, WordNet ids or nouns, there."""
    annotations: Path | Literal["real"] | None = None
    """Label sets of the pictures: CSV, JSON, or real for the ReaL labels that timm's data files
    carry; see `daclass.data.annotations`."""
    split_seed: Seed = 0
    """Decides which pictures form the selection half and which the estimation half."""

    @property
    def images_folder(self) -> Path | None:
        """The folder with the pictures, where it is named."""
        return self.images_root and self.root / self.images_root

    def input_files(self) -> list[Path]:
        """The predictions' files, and all others that are named."""
        given = (self.labels, self.models, self.classes, self.annotations)
        files = [*self.files, *(file for file in given if isinstance(file, Path))]
        return [self.root / file for file in files]


PicturesData = PetriData | FolderData | Cifar10hData | FashionMnistData | TinyImageNetData
"""The sources that bring pictures, which studies are trained on."""
