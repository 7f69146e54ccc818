from __future__ import annotations

import json
import math

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from daclass.augment import AXES, RRC_SCALE, AugmentError, Policy, strength_table

strengths = st.floats(0.001, 1.0)
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


def test_strongest_is_the_smallest_crop():
    assert RRC_SCALE.strongest([0.5, 0.08, 0.99]) == 0.08
    assert RRC_SCALE.weakest([0.5, 0.08, 0.99]) == 0.99


@pytest.mark.parametrize("strength", [0, -0.1, 1.01, math.nan, math.inf])
def test_axis_refuses_what_lies_outside(strength):
    with pytest.raises(AugmentError, match="rrc_scale"):
        RRC_SCALE.check(strength)


@pytest.mark.parametrize("axis", AXES.values())
def test_identity_lies_in_the_range(axis):
    assert axis.check(axis.identity) == axis.identity


@given(default=strengths, classes=st.dictionaries(names, strengths, max_size=5))
def test_a_policy_survives_its_file(tmp_path_factory, default, classes):
    path = tmp_path_factory.mktemp("policy") / "p.yaml"
    policy = Policy(RRC_SCALE, default, classes)
    policy.save(path)
    loaded = Policy.load(path)
    assert loaded == policy
    assert loaded.fingerprint == policy.fingerprint
    assert hash(loaded) == hash(policy)


def test_json_files_are_read_too(tmp_path):
    path = tmp_path / "p.json"
    policy = Policy(RRC_SCALE, 0.08, {"cat": 0.5})
    path.write_text(json.dumps(policy.as_dict()))
    assert Policy.load(path) == policy


def test_exceptions_equal_to_the_default_are_no_exceptions():
    assert Policy(RRC_SCALE, 0.5, {"cat": 0.5}) == Policy(RRC_SCALE, 0.5)
    assert Policy(RRC_SCALE, 0.5, {"cat": 0.5}).uniform


def test_strengths_follow_the_labels():
    policy = Policy(RRC_SCALE, 0.08, {"cat": 0.75})
    table = policy.strengths(["ant", "cat", "dog"])
    np.testing.assert_array_equal(table, [0.08, 0.75, 0.08])
    np.testing.assert_array_equal(table[np.array([1, 0, 1])], [0.75, 0.08, 0.75])
    assert math.isnan(policy.strength) and Policy(RRC_SCALE, 0.5).strength == 0.5


def test_a_class_has_one_spelling():
    both = {"caf\u00e9": 0.2, "cafe\u0301": 0.4}
    for named in ({"classes": both}, {"loss_weights": both}):
        with pytest.raises(AugmentError, match="the class caf\u00e9 is named twice"):
            Policy(RRC_SCALE, 0.5, **named)


def test_unknown_class_is_named():
    with pytest.raises(AugmentError, match="unicorn"):
        Policy(RRC_SCALE, 0.08, {"unicorn": 0.5}).strengths(["cat"])


def test_a_policy_cannot_be_changed():
    with pytest.raises(TypeError):
        Policy(RRC_SCALE, 0.08, {"cat": 0.5}).classes["cat"] = 1.0  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "mapping"),
        ("axis: rrc_scale", "missing"),
        ("{axis: hue, default: 0.5}", "unknown axis"),
        ("{axis: rrc_scale, default: two}", "number"),
        ("{axis: rrc_scale, default: true}", "number"),
        ("{axis: rrc_scale, default: 7}", "lies in"),
        ("{axis: rrc_scale, default: 0.5, classes: {cat: 0}}", "lies in"),
        ("{axis: rrc_scale, default: 0.5, extra: 1}", "extra"),
        ("{axis: [", "not a policy"),
        ("{axis: [rrc_scale], default: 0.5}", "unknown axis"),
        (
            "{axis: rrc_scale, default: 0.5, classes: {cat: 0.1, cat: 0.2}}",
            "cat stands there twice",
        ),
        ("{axis: rrc_scale, default: 0.5, class_ids: {cat: 0.1}}", "no class id"),
        ("{axis: rrc_scale, default: 0.5, classes: {100: 0.1}}", "the class called so is '100' in"),
        ("{axis: rrc_scale, default: 0.5, classes: [cat]}", "must map"),
        ("{axis: rrc_scale, default: 0.5, classes: " + "{a: " * 5000, "nested too deeply"),
        (f"{{axis: rrc_scale, default: {'9' * 400}}}", "lies in"),
        (f"{{axis: rrc_scale, default: {'9' * 5000}}}", "5,000 digits"),
        (
            f"{{axis: rrc_scale, default: 0.5, loss_weights: {{a: {'9' * 400}}}}}",
            "positive and fin",
        ),
        ("{axis: rrc_scale, default: 0.5, classes: {010: 0.1}}", "010 is ambiguous"),
        ("{axis: rrc_scale, default: 0.5, classes: {no: 0.1}}", "no is ambiguous"),
    ],
)
def test_bad_files_are_named(tmp_path, text, message):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(AugmentError, match=message) as error:
        Policy.load(path)
    assert "bad.yaml" in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AugmentError, match=r"gone\.yaml"):
        Policy.load(tmp_path / "gone.yaml")


# Classes by id


def test_a_class_is_named_or_numbered():
    by_name, by_id = Policy(RRC_SCALE, 0.08, {"cat": 0.5}), Policy(RRC_SCALE, 0.08, {1: 0.5})
    for policy in (by_name, by_id):
        np.testing.assert_array_equal(policy.strengths(["ant", "cat"]), [0.08, 0.5])
    assert by_name != by_id and by_name.fingerprint != by_id.fingerprint


def test_a_name_made_of_digits_is_a_name():
    policy = Policy(RRC_SCALE, 0.08, {"1": 0.5})
    np.testing.assert_array_equal(policy.strengths(["1", "0"]), [0.5, 0.08])


@given(classes=st.dictionaries(names | st.integers(0, 999), strengths, max_size=6))
@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_names_and_ids_survive_both_kinds_of_files(tmp_path_factory, suffix, classes):
    path = tmp_path_factory.mktemp("policy") / f"p.{suffix}"
    policy = Policy(RRC_SCALE, 0.5, classes)
    policy.save(path)
    assert Policy.load(path) == policy
    first = path.read_bytes()
    Policy.load(path).save(path)
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({2: 0.5}, r"lacks: \[2\]"),
        ({-1: 0.5}, r"lacks: \[-1\]"),
        ({"cat": 0.5, 1: 0.7}, "by its name and"),
    ],
)
def test_ids_that_fit_no_class_are_named(classes, message):
    with pytest.raises(AugmentError, match=message):
        Policy(RRC_SCALE, 0.08, classes).strengths(["ant", "cat"])


@pytest.mark.parametrize("key", [1.5, True, None, ("cat",)])
def test_other_keys_are_refused(key):
    with pytest.raises(AugmentError, match="a name or an id"):
        Policy(RRC_SCALE, 0.08, {key: 0.5})


# Strengths of samples


def test_a_table_has_a_row_a_policy():
    policies = [Policy(RRC_SCALE, 0.08), Policy(RRC_SCALE, 0.08, {"cat": 0.5})]
    table = strength_table(RRC_SCALE, policies, [1, 0, 1], ["ant", "cat"])
    np.testing.assert_array_equal(table, [[0.08] * 3, [0.5, 0.08, 0.5]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"axis": AXES["blur"]}, "axis blur are needed, got rrc_scale"),
        ({"policies": []}, "got none"),
        ({"policies": [Policy(RRC_SCALE, 0.5), Policy(AXES["blur"], 1.0)]}, "got blur"),
        ({"labels": [0, 2]}, "sample 1 has label 2, but there are 2 classes"),
        ({"labels": [-1]}, "sample 0 has label -1"),
        ({"labels": [0.0, 1.0]}, "must be integers"),
        ({"labels": [[0, 1]]}, "must be integers of shape"),
        ({"class_names": ["cat", "cat"]}, r"several classes of one name: \['cat'\]"),
    ],
)
def test_bad_samples_are_refused(change, message):
    arguments = {
        "axis": RRC_SCALE,
        "policies": [Policy(RRC_SCALE, 0.5)],
        "labels": [0, 1],
        "class_names": ["ant", "cat"],
    }
    with pytest.raises(AugmentError, match=message):
        strength_table(**(arguments | change))


# Weights of the loss

weights = st.floats(0.01, 100)


@pytest.mark.parametrize(
    ("policy", "fingerprint"),
    [
        (
            Policy(RRC_SCALE, 0.08),
            "516a00bad2968b88161e2ed783e84a79f3bd95bf8a5591e42fe7b83ed0cb6e80",
        ),
        (
            Policy(RRC_SCALE, 0.08, {"cat": 0.5, 3: 0.75}),
            "ec7855ac632266c21a0aeb7cdda4c24e04c2aacd3f344737367bff914ba3c1de",
        ),
    ],
)
def test_policies_without_weights_keep_their_hashes_and_files(tmp_path, policy, fingerprint):
    """Runs lie in stores under these hashes: another one would train them all again."""
    assert policy.fingerprint == fingerprint
    policy.save(tmp_path / "p.yaml")
    assert "loss_weights" not in (tmp_path / "p.yaml").read_text()


@given(
    classes=st.dictionaries(names, strengths, max_size=3),
    loss_weights=st.dictionaries(names, weights, max_size=5),
)
@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_weights_survive_both_kinds_of_files(tmp_path_factory, suffix, classes, loss_weights):
    path = tmp_path_factory.mktemp("policy") / f"p.{suffix}"
    policy = Policy(RRC_SCALE, 0.5, classes, loss_weights)
    policy.save(path)
    assert Policy.load(path) == policy
    assert Policy.load(path).fingerprint == policy.fingerprint
    assert (policy == Policy(RRC_SCALE, 0.5, classes)) == (set(loss_weights.values()) <= {1.0})


def test_a_weight_changes_a_policy_but_none_of_its_strengths():
    plain, weighted = Policy(RRC_SCALE, 0.5), Policy(RRC_SCALE, 0.5, loss_weights={"cat": 2})
    assert plain != weighted and plain.fingerprint != weighted.fingerprint
    assert weighted.uniform and weighted.strength == 0.5
    assert Policy(RRC_SCALE, 0.5, loss_weights={"cat": 1}) == plain


def test_weights_have_mean_one_over_the_classes_or_the_samples():
    policy = Policy(RRC_SCALE, 0.5, loss_weights={"cat": 4})
    np.testing.assert_allclose(policy.weights(["ant", "cat", "dog"]), [0.5, 2, 0.5])
    # Three ants and one cat: (3 * 1 + 4) / 4 = 1.75.
    found = policy.weights(["ant", "cat"], [0, 0, 1, 0])
    np.testing.assert_allclose(found, [1 / 1.75, 4 / 1.75])
    np.testing.assert_array_equal(Policy(RRC_SCALE, 0.5).weights(["ant", "cat"], [0, 1, 1]), 1)


@given(
    loss_weights=st.dictionaries(st.sampled_from("abcde"), weights),
    labels=st.lists(st.integers(0, 4), min_size=1, max_size=30),
)
def test_samples_weigh_one_on_average_and_ratios_stay(loss_weights, labels):
    found = Policy(RRC_SCALE, 0.5, loss_weights=loss_weights).weights(list("abcde"), labels)
    assert found[labels].mean() == pytest.approx(1)
    given_ = np.array([loss_weights.get(name, 1) for name in "abcde"])
    np.testing.assert_allclose(found / found[0], given_ / given_[0])


@pytest.mark.parametrize(
    ("loss_weights", "message"),
    [
        ({"cat": 0}, "weight of cat must be positive and finite, got 0"),
        ({"cat": -1.5}, "weight of cat must be positive"),
        ({"cat": math.nan}, "weight of cat must be positive and finite, got nan"),
        ({"cat": math.inf}, "weight of cat must be positive and finite, got inf"),
        ({"cat": True}, "weight of cat must be positive"),
        ({"cat": "2"}, "weight of cat must be positive"),
        ({3: 2.0}, "by their names, not by 3"),
    ],
)
def test_bad_weights_are_refused(tmp_path, loss_weights, message):
    with pytest.raises(AugmentError, match=message):
        Policy(RRC_SCALE, 0.5, loss_weights=loss_weights)
    path = tmp_path / "bad.yaml"
    content = {"axis": "rrc_scale", "default": 0.5, "loss_weights": loss_weights}
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(AugmentError, match=message):
        Policy.load(path)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, r"weights classes that the data set lacks: \['cat'\]"),
        ([0, 1], "sample 1 has label 1"),
        (np.empty(0, int), "there are none"),
    ],
)
def test_weights_that_fit_no_data_are_refused(labels, message):
    policy = Policy(RRC_SCALE, 0.5, loss_weights={"ant" if labels is not None else "cat": 2})
    with pytest.raises(AugmentError, match=message):
        policy.weights(["ant"], labels)


def test_weights_that_are_no_mapping_are_refused():
    content = {"axis": "rrc_scale", "default": 0.5, "loss_weights": [1, 2]}
    with pytest.raises(AugmentError, match="must map class names to weights"):
        Policy.from_dict(content)


# A loss that is aware of views


def test_a_view_aware_policy_survives_its_file_and_is_another_one(tmp_path):
    plain = Policy(RRC_SCALE, 0.5, {"cat": 0.99})
    aware = Policy(RRC_SCALE, 0.5, {"cat": 0.99}, view_aware=True)
    assert aware != plain and aware.fingerprint != plain.fingerprint
    assert "view_aware" not in plain.as_dict() and aware.as_dict()["version"] == 2
    for name in ("policy.yaml", "policy.json"):
        aware.save(tmp_path / name)
        assert Policy.load(tmp_path / name) == aware


def test_where_no_class_has_an_exception_no_view_speaks_for_one():
    assert Policy(RRC_SCALE, 0.5, view_aware=True) == Policy(RRC_SCALE, 0.5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"axis": "mixup", "default": 0.5}, "view_aware is for rrc_scale"),
        ({"axis": "rrc_scale", "default": 0.5, "view_aware": 1}, "true or false, not 1"),
        ({"axis": "rrc_scale", "default": 0.5, "view_aware": "yes"}, "true or false, not 'yes'"),
    ],
)
def test_awareness_that_cannot_be_is_refused(content, message):
    with pytest.raises(AugmentError, match=message):
        Policy.from_dict({"classes": {"cat": 0.9}, "view_aware": True} | content)
