"""Ways through WordNet against chains read in its browser, and ImageNet's names and tree."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from daclass.analysis.categories import similarity
from daclass.data import wordnet
from daclass.data.imagenet import class_names, class_tree, synsets
from daclass.errors import InputError
from tests.conftest import absent

# Hypernyms of WordNet 3.0 as `wn <noun> -hypen` prints them.
LIVING = "entity/physical entity/object/whole/living thing/organism/animal/chordate/vertebrate"
THING = "entity/physical entity/object/whole/artifact"
CHAINS = {
    # tench
    1440764: f"{LIVING}/aquatic vertebrate/fish/bony fish/teleost fish/soft-finned fish/"
    "cypriniform fish/cyprinid",
    # great grey owl
    1622779: f"{LIVING}/bird/bird of prey/owl",
    # sunglasses
    4356056: f"{THING}/instrumentality/device/instrument/optical instrument/spectacles",
    # entity itself
    1740: "",
}


@pytest.fixture
def installed() -> None:
    if not (wordnet.DEFAULT_FOLDER / "data.noun").is_file():
        absent("WordNet (Debian's wordnet-base)")


@pytest.fixture
def timm() -> None:
    if find_spec("timm") is None:
        absent("timm, which carries ImageNet's names,")


@pytest.fixture
def elsewhere(monkeypatch, tmp_path: Path):
    """WordNet's files are to lie in an empty folder."""
    monkeypatch.setenv("WNSEARCHDIR", str(tmp_path))
    wordnet._nouns.cache_clear()
    yield tmp_path
    wordnet._nouns.cache_clear()


@pytest.mark.parametrize("offset", CHAINS)
def test_chains(installed, offset: int) -> None:
    expected = CHAINS[offset].split("/") if CHAINS[offset] else []
    assert wordnet.hypernym_path(offset) == expected


def test_a_class_is_called_by_its_synset_and_a_noun_by_itself(installed) -> None:
    assert wordnet.class_path("n03179701").endswith("/table/desk")
    assert wordnet.class_path("Sports_Car").endswith("/car/Sports_Car")


def test_without_wordnet_there_are_no_ways(elsewhere: Path) -> None:
    assert wordnet.hypernym_path(1440764) == []


def test_a_small_database(elsewhere: Path) -> None:
    """Two hypernyms: the first one counts; an instance hypernym is one too."""
    lines, offsets = [], {}
    for word, parents in {
        "entity": [],
        "living_thing": ["@ entity"],
        "tool": ["@ entity"],
        "decoy": ["~ tool", "@ living_thing", "@ tool"],
        "Old_Decoy": ["@i decoy"],
    }.items():
        offsets[word] = sum(map(len, lines))
        pointers = " ".join(
            f"{kind} {offsets[name]:08d} n 0000" for kind, name in map(str.split, parents)
        )
        head = f"{offsets[word]:08d} 03 n 01 {word} 0 {len(parents):03d}"
        lines.append(f"{head} {pointers} | gloss  \n" if parents else f"{head} | gloss  \n")
    (elsewhere / "data.noun").write_text("".join(lines))
    assert wordnet.hypernym_path(offsets["decoy"]) == ["entity", "living thing"]
    assert wordnet.hypernym_path(offsets["Old_Decoy"]) == ["entity", "living thing", "decoy"]
    with pytest.raises(InputError, match=r"data\.noun: no synset at 7; WordNet 3\.0 is needed"):
        wordnet.hypernym_path(7)
    with pytest.raises(InputError, match=r"no synset at 99999999"):
        wordnet.hypernym_path(99999999)


def test_all_of_imagenets_classes_have_a_way(installed, timm) -> None:
    tree = class_tree()
    ways = [path.split("/") for path in tree["path"]]
    assert len(ways) == 1000
    assert all(way[0] == "entity" and len(way) > 3 for way in ways)
    assert all(
        way[-1] == name.replace("/", " ") for way, name in zip(ways, tree["name"], strict=True)
    )
    # 118 breeds of dogs stand together, 151 to 268.
    dogs = [k for k, way in enumerate(ways) if "dog" in way[:-1]]
    assert dogs == list(range(151, 269))


def test_without_wordnet_all_classes_are_equally_similar(elsewhere, timm) -> None:
    tree = class_tree()
    assert list(tree["path"]) == [name.replace("/", " ") for name in tree["name"]]


def test_similarities_of_imagenets_classes(installed, timm) -> None:
    """Wu and Palmer's, counted by hand: 2 depth(common) / (depth + depth), the root being 1."""
    tree = class_tree().set_index("name")["path"]
    chosen = ["tench", "goldfish", "great grey owl"]
    found = similarity(list(tree[chosen]))
    # The hypernyms above plus the class itself, plus the root that paths leave out.
    assert found[0, 1] == pytest.approx(2 * 17 / (18 + 18))
    assert found[0, 2] == pytest.approx(2 * 10 / (18 + 14))


def test_names_are_readable_and_distinct(timm) -> None:
    names = class_names()
    assert len(set(names)) == len(names) == len(synsets()) == 1000
    assert [names[k] for k in (0, 151, 836, 837)] == [
        "tench", "Chihuahua", "sunglass", "sunglasses",
    ]  # fmt: skip
    assert names[134] != names[517] and all("crane" in names[k] for k in (134, 517))
    assert synsets() == sorted(synsets())
