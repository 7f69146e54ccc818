"""Weights that training starts from: of a file, or those that timm and torchvision publish."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from daclass.augment.pictures import hash_of
from daclass.config import Training
from daclass.data.tabular import read_csv
from daclass.errors import InputError
from daclass.training.models import create, finished, torchvision_name

State = Mapping[str, Tensor]
"""Weights by name, as `torch.nn.Module.state_dict` gives them."""


def origin(training: Training) -> str:
    """Which weights training starts from, in a name that is another one for other weights: the hash
    of a file's content, the published name, or "" where they are drawn.

    Raises:
        InputError: there are no such weights.
    """
    if training.init == "random":
        return ""
    if isinstance(training.init, Path):
        try:
            with training.init.open("rb") as file:
                return hash_of(file)
        except OSError as error:
            raise _fault(f"{training.init}: cannot be read ({error.strerror})") from None
    if name := torchvision_name(training.model):
        return f"torchvision/{name}.{_torchvision_weights(name).name}"
    published = _published(training.model)
    return f"{published.architecture}.{published.tag}"


def colours(training: Training) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Mean and deviation of the colours that the weights were trained with, on a scale of 0 to 1;
    None where they do not say."""
    if training.init != "pretrained" or torchvision_name(training.model):
        return None
    published = _published(training.model)
    return tuple(published.mean), tuple(published.std)


def initial_state(training: Training) -> State | None:
    """The weights that training starts from, the last layer's among them; None where they are
    drawn.

    Files are read without unpickling code.

    Raises:
        InputError: they cannot be fetched or read.
    """
    if training.init == "random":
        return None
    if isinstance(training.init, Path):
        try:
            return read_state(training.init)
        except InputError as error:
            raise _fault(str(error)) from None
    origin(training)  # whether there are any
    try:
        if name := torchvision_name(training.model):
            return _torchvision_state(name)
        return create(training, classes=None, pretrained=True).state_dict()
    # Not to be reached, not to be written, not what was published: a dozen kinds of errors.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise _fault(
            f"the weights of {training.model} cannot be fetched ({reason}); where there is no "
            "internet, name a file of weights"
        ) from None


def initial_model(training: Training, classes: int, state: State | None) -> nn.Module:
    """The network at the start of training: `state`, and a last layer that is drawn.

    Args:
        state: what `initial_state` gives.

    Raises:
        InputError: `training.model` names no known network, or the weights are another one's.
    """
    model = create(training, classes)
    if state is not None:
        _fill(model, state, training)
    return finished(model, training)


def read_state(file: Path) -> dict[str, Tensor]:
    """Weights of a .safetensors file or a torch checkpoint, without unpickling code.

    Raises:
        InputError: the file is missing, damaged or holds code.
    """
    from timm.models import load_state_dict

    try:
        state = load_state_dict(str(file), weights_only=True)
    except FileNotFoundError:
        raise InputError(f"{file}: no such file") from None
    except Exception as error:  # torch raises half a dozen kinds for damaged files
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{file}: cannot be used ({reason})") from None
    if not all(isinstance(value, Tensor) for value in state.values()):
        raise InputError(f"{file}: cannot be used (holds more than weights by name)")
    return state


def _fill(model: nn.Module, state: State, training: Training) -> None:
    """Weights to a network, but for the last layer's.

    Raises:
        InputError: a weight is missing, left over, or of another shape.
    """
    wanted = model.state_dict()
    state = _renamed(state, model, training)
    # How timm itself makes weights of other forms fit, such as positions of other sizes.
    adapt = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    try:
        given = dict(adapt(dict(state), model) if adapt else state)
    except Exception as error:  # whatever foreign weights bring it to
        raise _fault(f"{_named(training)} do not fit {training.model} ({error!r})") from None
    heads = _heads(model)
    own = {name: value for name, value in wanted.items() if name.rpartition(".")[0] in heads}
    rest = {name: value for name, value in given.items() if name.rpartition(".")[0] not in heads}
    own |= {name: value for name, value in wanted.items() if _counter(name)}
    if fault := _misfit({name: wanted[name] for name in wanted if name not in own}, rest, own):
        raise _fault(f"{_named(training)} do not fit {training.model}: {fault}")
    model.load_state_dict({**own, **rest})


def _renamed(state: State, model: nn.Module, training: Training) -> State:
    """Weights under the names of the network, as `training.init_names` has it.

    Raises:
        InputError: the file of names does not fit, or the weights are no others in order.
    """
    if training.init_names == "same":
        return state
    wanted, heads = model.state_dict(), _heads(model)
    if isinstance(training.init_names, Path):
        names: dict[str, str] = {}
        file = training.init_names
        for row, (theirs, ours) in enumerate(read_csv(file, "file", "model").to_numpy(), 1):
            where = f"training.init_names: {file}: row {row}"
            if theirs not in state or ours not in wanted:
                name, owner = (ours, training.model) if theirs in state else (theirs, training.init)
                raise InputError(f"{where}: {name!r} is no weight of {owner}")
            if theirs in names or ours in names.values():
                raise InputError(f"{where}: {theirs if theirs in names else ours!r} comes twice")
            names[theirs] = ours
        return {names.get(name, name): value for name, value in state.items()}
    # Counters of normalisation layers are in one list and not in the other; their kind and shape
    # tell weights that have come out of step, but for the last layer's shape.
    theirs, ours = ([name for name in each if not _counter(name)] for each in (state, wanted))
    for given, name in zip(theirs, ours, strict=False):
        alike = name.rpartition(".")[0] in heads or state[given].shape == wanted[name].shape
        if given.rpartition(".")[2] != name.rpartition(".")[2] or not alike:
            raise _fault(
                f"{_named(training)} are not those of {training.model} in order: {given} "
                f"{list(state[given].shape)} would be {name} {list(wanted[name].shape)}"
            )
    if len(theirs) != len(ours):
        raise _fault(f"{training.init} holds {len(theirs)} weights, {training.model} {len(ours)}")
    return {name: state[given] for given, name in zip(theirs, ours, strict=True)}


def _counter(name: str) -> bool:
    """Whether it is a counter of a normalisation layer, which early versions of torch lack."""
    return name.endswith("num_batches_tracked")


def _misfit(wanted: State, given: State, spared: State) -> str:
    """What is wrong with weights; "" where nothing is."""
    missing = [name for name in wanted if name not in given]
    left_over = [name for name in given if name not in {**wanted, **spared}]
    if missing and left_over:
        return (
            f"the network's {_first(missing)} are not in it, and it holds {_first(left_over)}; if "
            "these are other names for the same weights, training.init_names pairs them: ordered, "
            "or a CSV file with columns file,model"
        )
    if missing or left_over:
        return f"{_first(missing)} missing" if missing else f"no place for {_first(left_over)}"
    faults = [
        f"{name} is {list(given[name].shape)} there and {list(value.shape)} in the network"
        for name, value in wanted.items()
        if given[name].shape != value.shape
    ]
    return _first(faults, 1)


def _first(names: Sequence[str], shown: int = 3) -> str:
    """The first few names, and how many there are besides."""
    more = f" (and {len(names) - shown:,} more)" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _heads(model: nn.Module) -> tuple[str, ...]:
    """Names of the layers that give the logits."""
    said: Any = getattr(model, "default_cfg", {}).get("classifier")
    if said:
        return (said,) if isinstance(said, str) else tuple(said)
    layers = [
        name for name, module in model.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)
    ]
    return (layers[-1],)


def _torchvision_weights(name: str) -> Any:
    """The weights that torchvision publishes of a model, the best where there are several."""
    from torchvision.models import get_model_weights

    try:
        return get_model_weights(name).DEFAULT  # type: ignore[attr-defined]
    except ValueError:
        raise _fault(f"torchvision publishes no weights of {name}") from None


def _torchvision_state(name: str) -> State:
    """Weights as torchvision publishes them. Its own way to a network with weights unpickles."""
    weights = _torchvision_weights(name)
    state = weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    # Layers of the DenseNets were called norm.1 when their weights were published; now norm1.
    old = re.compile(r"(denselayer\d+\.(?:norm|conv))\.(?=\d)")
    return {old.sub(r"\1", key): value for key, value in state.items()}


def _published(model: str) -> Any:
    """What timm says of the weights of a model, by its name or its name and tag."""
    from timm.models import get_pretrained_cfg, is_model

    try:
        found = get_pretrained_cfg(model) if is_model(model) else None
    except RuntimeError:  # a tag that the model does not have
        found = None
    if found is None or not found.has_weights:
        raise _fault(
            f"nobody has published weights of {model} with timm; name a file of weights, or leave "
            "training.init out"
        )
    return found


def _named(training: Training) -> str:
    return f"the weights of {training.init if isinstance(training.init, Path) else training.model}"


def _fault(what: str) -> InputError:
    return InputError(f"training.init: {what}")
