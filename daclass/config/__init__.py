"""What a study says: the only room that knows a setting's name, default, range and unit.

A study is one YAML file. `Study.load` refuses unknown settings, wrong types and values that
contradict each other, and names the file and the setting in one line.
"""

from daclass.config.analysis import Affected, Analysis, Categories, Comparison, Sweep
from daclass.config.interventions import FineTuning, Interventions, Phase
from daclass.config.layout import Layout
from daclass.config.sources import (
    Cifar10hData,
    Columns,
    FashionMnistData,
    FolderData,
    Labels,
    Model,
    PetriData,
    PicturesData,
    PredictionsData,
    TinyImageNetData,
)
from daclass.config.study import Study
from daclass.config.training import Augmentation, Beton, Machine, Training

__all__ = [
    "Affected",
    "Analysis",
    "Augmentation",
    "Beton",
    "Categories",
    "Cifar10hData",
    "Columns",
    "Comparison",
    "FashionMnistData",
    "FineTuning",
    "FolderData",
    "Interventions",
    "Labels",
    "Layout",
    "Machine",
    "Model",
    "PetriData",
    "Phase",
    "PicturesData",
    "PredictionsData",
    "Study",
    "Sweep",
    "TinyImageNetData",
    "Training",
]
