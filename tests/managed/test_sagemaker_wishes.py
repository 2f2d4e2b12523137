"""What the data plane makes of the control plane's answers: weights, shares, and what moto forgets."""

from collections import Counter

import pytest
from botocore.exceptions import ClientError

from fsdl_deploy.managed import sagemaker_control as calls
from fsdl_deploy.managed import sagemaker_measuring as measuring
from fsdl_deploy.managed.sagemaker_wishes import Variant, Wish, wishes

BLUE, GREEN = Variant("blue", "v2", 0.9), Variant("green", "v3-bad", 0.1)


class FakePlane:
    """Answers as SageMaker's API does, for one endpoint; ``forget``: what moto leaves out after a change."""

    def __init__(self):
        self.weights, self.asked, self.shadow, self.config = {"blue": 0.9, "green": 0.1}, Counter(), [], "c1"
        self.tags, self.model = [], "reader-v2"

    def get_paginator(self, _):
        return self

    def paginate(self):
        return [{"Endpoints": [{"EndpointName": "meter"}]}]

    def describe_endpoint(self, EndpointName):
        variants = [{"VariantName": name} for name in ("blue", "green")]
        for entry in variants:
            if (weight := self.weights.get(entry["VariantName"])) is not None:
                entry["CurrentWeight"] = weight
        return {"EndpointConfigName": self.config, "ProductionVariants": variants}

    def describe_endpoint_config(self, EndpointConfigName):
        self.asked["config"] += 1
        variants = [
            {"VariantName": "blue", "ModelName": self.model, "InitialVariantWeight": 0.9},
            {"VariantName": "green", "ModelName": "reader-v3-bad", "InitialVariantWeight": 0.1},
        ]
        answer = {"EndpointConfigArn": "arn", "ProductionVariants": variants}
        return answer | ({"ShadowProductionVariants": self.shadow} if self.shadow else {})

    def list_tags(self, ResourceArn):
        return {"Tags": self.tags}

    def describe_model(self, ModelName):
        return {"PrimaryContainer": {"Environment": {"FSDL_VERSION": ModelName.removeprefix("reader-")}}}


def test_what_the_control_plane_wants():
    plane = FakePlane()
    assert wishes(plane, {}) == {"meter": Wish("meter", "c1", (BLUE, GREEN))}


def test_a_weight_that_is_not_said_any_more_stays_as_it_was():
    """moto leaves the weight out once an instance count has been changed."""
    plane = FakePlane()
    plane.weights = {"blue": 0.5, "green": 0.5}
    before = wishes(plane, {})
    plane.weights = {"blue": 0.7}
    now = wishes(plane, before)["meter"]
    assert [variant.weight for variant in now.variants] == [0.7, 0.5]


def test_a_new_configuration_counts_also_under_its_old_name():
    plane = FakePlane()
    known = wishes(plane, {})
    plane.model = "reader-v1"  # removed and made again, within a moment
    known = wishes(plane, known)
    assert [variant.version for variant in known["meter"].variants] == ["v1", "v3-bad"]
    plane.config = "c2"
    assert wishes(plane, known)["meter"].config == "c2"


def test_the_shadow_of_a_tag_as_moto_keeps_it():
    plane = FakePlane()
    plane.tags = [{"Key": calls.SHADOW, "Value": "reader-v1:dark:0.5"}]
    assert wishes(plane, {})["meter"].shadow == Variant("dark", "v1", 0.5)


BAD_TAGS = ["", "reader-v1", "reader-v1:dark", "a:b:c:d", "reader-v1:dark:much", "reader-v1:dark:nan",
            "reader-v1:dark:-1", "reader-v1:../x:1", ":dark:1", "reader-v1:blue:1"]  # fmt: skip


@pytest.mark.parametrize("value", BAD_TAGS)
def test_a_malformed_shadow_is_said_and_freezes_nothing(value):
    plane = FakePlane()
    before = wishes(plane, {})
    plane.tags = [{"Key": calls.SHADOW, "Value": value}]
    held = wishes(plane, before)["meter"]
    assert held.variants == before["meter"].variants and held.problem.startswith("ValueError")
    fresh = wishes(plane, {})["meter"]
    assert fresh.variants == () and fresh.problem
    plane.tags, plane.weights = [], {"blue": 0.5, "green": 0.5}
    mended = wishes(plane, {"meter": held})["meter"]
    assert mended.problem == "" and [variant.weight for variant in mended.variants] == [0.5, 0.5]


def test_an_endpoint_with_a_malformed_shadow_can_be_removed():
    removed = []

    class Removing(FakePlane):
        def delete_endpoint(self, EndpointName):
            removed.append(EndpointName)
            self.paginate = lambda: [{"Endpoints": []}]

        def delete_endpoint_config(self, EndpointConfigName):
            removed.append(EndpointConfigName)

        def delete_model(self, ModelName):
            removed.append(ModelName)

    plane = Removing()
    plane.tags = [{"Key": calls.SHADOW, "Value": "no shadow"}]
    calls.remove(plane, "meter")
    assert removed == ["meter", "c1", "reader-v2", "reader-v3-bad"]


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), "much"])
def test_a_weight_that_is_none_is_a_problem_of_its_endpoint(weight):
    plane = FakePlane()
    plane.weights = {"blue": weight, "green": 0.1}
    wish = wishes(plane, {})["meter"]
    assert wish.variants == () and "ValueError" in wish.problem


def test_the_shadow_of_an_answer_as_aws_gives_it():
    plane = FakePlane()
    plane.shadow = [{"VariantName": "dark", "ModelName": "reader-v1", "InitialVariantWeight": 0.5}]
    wish = wishes(plane, {})["meter"]
    assert wish.shadow == Variant("dark", "v1", 0.5) and wish.shadow_share == 0.5


@pytest.mark.parametrize(
    "chance, name", [(0.0, "blue"), (0.899, "blue"), (0.901, "green"), (0.9999999, "green"), (1.0, "green")]
)
def test_the_weights_choose(chance, name):
    assert Wish("meter", "c1", (BLUE, GREEN)).chosen(chance).name == name


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_a_weight_of_zero_gets_nothing_wherever_it_stands(chance):
    nothing, all_of_it = Variant("a", "v2", 0.0), Variant("b", "v2", 3.0)
    for order in ((nothing, all_of_it), (all_of_it, nothing)):
        assert Wish("meter", "c1", order).chosen(chance).name == "b"
    assert Wish("meter", "c1", (nothing,)).chosen(chance) is None


def test_the_interval_has_the_weights_share_and_misses_a_wrong_one():
    right = measuring.intervals({"blue": 905, "green": 95}, {"blue": 9, "green": 1})["green"]
    assert right[0] == pytest.approx(0.1) and right[1] < 0.1 < right[2]
    share, low, high = measuring.intervals({"blue": 500, "green": 500}, {"blue": 9, "green": 1})["green"]
    assert not low <= share <= high


def test_the_ratio_of_two_ways_with_its_interval():
    taken = measuring.in_turns({"a": lambda: sum(range(60_000)), "b": lambda: sum(range(20_000))}, 40)
    middle, low, high = measuring.ratio(taken["a"], taken["b"])
    assert low <= middle <= high and low > 1.5


def test_an_endpoint_whose_model_is_gone_does_not_stop_the_others():
    class Half(FakePlane):
        def paginate(self):
            return [{"Endpoints": [{"EndpointName": "meter"}, {"EndpointName": "broken"}]}]

        def describe_endpoint(self, EndpointName):
            if EndpointName == "broken":
                raise ClientError({"Error": {"Code": "ValidationException"}}, "DescribeModel")
            return super().describe_endpoint(EndpointName)

    plane = Half()
    fresh = wishes(plane, {})
    assert fresh["meter"].variants == (BLUE, GREEN) and fresh["broken"].variants == ()
    before = {"broken": Wish("broken", "c0", (BLUE,))}
    held = wishes(plane, before)["broken"]
    assert (held.config, held.variants) == ("c0", (BLUE,)) and "ClientError" in held.problem


@pytest.mark.parametrize("name", ["a b", "../x", "", "-a", "a-", "a" * 64])
def test_a_name_that_aws_would_refuse_is_refused(name):
    """moto takes any, and the router writes into folders of these names."""
    good = [calls.variant("blue", "m", 1.0)]
    for asked in (
        (name, good),
        ("meter", [calls.variant(name, "m", 1.0)]),
        ("meter", [calls.variant("blue", name, 1.0)]),
        ("meter", good, calls.variant(name, "m", 1.0)),
    ):
        with pytest.raises(ValueError, match="is no name"):
            calls.create_endpoint(None, *asked)
    with pytest.raises(ValueError, match="is no name"):
        calls.create_model(None, f"{name}/")
    plane = FakePlane()
    plane.paginate = lambda: [{"Endpoints": [{"EndpointName": name}]}]
    assert wishes(plane, {}) == {}


def test_two_variants_of_one_name_are_refused():
    blue = calls.variant("blue", "m", 1.0)
    for asked in (([blue, blue], None), ([blue], blue)):
        with pytest.raises(ValueError, match="two variants have one name"):
            calls.create_endpoint(None, "meter", *asked)


@pytest.mark.parametrize("name", ["../x", "a b", "", 7, None])
def test_a_variant_whose_name_is_none_never_becomes_a_folder(name):
    class Odd(FakePlane):
        def describe_endpoint_config(self, EndpointConfigName):
            answer = super().describe_endpoint_config(EndpointConfigName)
            answer["ProductionVariants"][0]["VariantName"] = name
            return answer

    wish = wishes(Odd(), {})["meter"]
    assert wish.variants == () and "is no name" in wish.problem


@pytest.mark.parametrize("weight", [1e308, 5e-324])
def test_weights_at_the_end_of_what_a_number_can_be_split_too(weight):
    wish = Wish("meter", "c1", (Variant("blue", "v2", weight), Variant("green", "v1", weight)),
                Variant("dark", "v2", weight))  # fmt: skip
    assert [wish.chosen(chance).name for chance in (0.0, 0.4, 0.6, 1.0)] == ["blue"] * 2 + ["green"] * 2
    assert wish.shadow_share == 0.5


def test_no_chance_is_left_without_an_answer_by_rounding():
    """0.1 three times is more than 0.3, so a reach of all may be beyond the last weight."""
    for count in range(2, 30):
        variants = tuple(Variant(f"v{place}", "v2", 0.1 + place / 7) for place in range(count))
        assert Wish("meter", "c1", variants).chosen(1.0) is not None, count
