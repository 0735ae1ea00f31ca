"""Networks, recipes and presets: their ranges, descriptions and JSON."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from inksight import InputError
from inksight.config import NETWORKS, RECIPES, Augmentation, Bank, Network, Recipe, get_network, get_recipe
from inksight.config.presets import get_budget

banks = st.builds(Bank, st.integers(1, 64), st.sampled_from((1, 3, 5, 7)), st.just(1), st.booleans())


def test_presets_of_the_code_and_the_text_of_the_post():
    assert [bank.filters for bank in NETWORKS["post"].banks] == [20, 20, 40]
    assert [bank.filters for bank in NETWORKS["post-prose"].banks] == [20, 40, 60]
    assert NETWORKS["post"].sides == (12, 8, 6)


def test_the_recipe_post_is_that_of_the_post():
    recipe = RECIPES["post"]
    assert (recipe.epochs, recipe.passes, recipe.epsilon, recipe.schedule) == (80, 3, 1e-4, "constant")
    assert recipe.augmentation == Augmentation(rotation=0.1 * 360, shift=2.8)
    assert NETWORKS["post"].l2 == 1e-4


@given(st.lists(banks, min_size=1, max_size=4).map(tuple), st.integers(0, 50), st.integers(2, 20))
def test_networks_round_trip_through_json_and_spec(banks, dense, classes):
    network = Network(banks, dense=dense, classes=classes)
    assert Network.from_dict(_through_json(network.to_dict())) == network
    assert get_network(network.spec, classes) == network


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_round_trip_through_json(name):
    assert Recipe.from_dict(_through_json(RECIPES[name].to_dict())) == RECIPES[name]


def _through_json(values):
    import json

    return json.loads(json.dumps(values))


def test_spec_of_the_network_of_the_post():
    assert NETWORKS["post"].spec == "20x5p,20x5,40x3,d20"


def test_a_description_can_set_every_field_of_a_bank():
    assert get_network("4x5p,8x3s,6x1sp").banks == (
        Bank(4, 5, pool=2), Bank(8, 3, separable=True), Bank(6, 1, pool=2, separable=True),
    )  # fmt: skip


def test_the_number_of_classes_of_a_preset_can_be_set():
    assert get_network("post", classes=26) == replace(NETWORKS["post"], classes=26)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Bank(0), "filters must be 1 to 1024, got 0"),
        (lambda: Bank(True), "filters must be"),
        (lambda: Bank(4, 4), "kernel must be 1, 3, 5 or 7, got 4"),
        (lambda: Bank(4, 3, 3), "pool must be 1 or 2, got 3"),
        (lambda: Bank(4, 3, 1, 1), "separable must be true or false, got 1"),  # type: ignore[arg-type]
        (lambda: Network(()), "number of banks must be 1 to 32, got 0"),
        (lambda: Network((Bank(4, 7, 2),) * 3), "small enough to leave a pixel"),
        (lambda: Network((Bank(4),), leak=float("nan")), "leak must be 0 to 1, got nan"),
        (lambda: Network((Bank(4),), classes=1), "classes must be 2 to 1000, got 1"),
        (lambda: Network([Bank(4)]), "banks must be a tuple of Bank"),  # type: ignore[arg-type]
        (lambda: Network.from_dict({"banks": [{"filters": 4, "size": 3}]}), "bank field must be one of"),
        (lambda: Network.from_dict({"banks": 3}), "banks must be a list"),
        (lambda: Network.from_dict([]), "network must be an object"),
        (lambda: Recipe(0), "epochs must be 1 to 100000, got 0"),
        (lambda: Recipe(1, learning_rate=-1), "learning_rate must be 1e-12 to 1e6, got -1"),
        (lambda: Recipe(1, schedule="cosine"), "schedule must be triangle or constant, got 'cosine'"),  # type: ignore[arg-type]
        (lambda: Recipe.from_dict({}), "epochs of the recipe must be given"),
        (lambda: Augmentation(rotation=181), "rotation must be 0 to 180 degrees, got 181"),
        (lambda: get_network("alexnet"), "network must be one of post, post-prose, best, medium, small, tiny, or"),
        (lambda: get_network(""), "network must be one of"),
        (lambda: get_network("d20"), "network must be one of"),
        (lambda: get_network([]), "network must be a Network, a name or a description"),  # type: ignore[arg-type]
        (lambda: get_network(3), "such as 20x5p,20x5,40x3,d20, got 3"),  # type: ignore[arg-type]
        (lambda: get_network("８x5"), "network must be one of"),  # full-width digits
        (lambda: get_network("8x٥"), "network must be one of"),
        (lambda: get_network("8²x5"), "network must be one of"),
        (lambda: get_network("8x5,d２０"), "network must be one of"),
        (lambda: get_network("8x4"), "kernel must be 1, 3, 5 or 7, got 4"),
        (lambda: get_recipe(3), "recipe must be one of seconds, default"),  # type: ignore[arg-type]
        (lambda: get_recipe([]), "recipe must be one of seconds, default"),  # type: ignore[arg-type]
        (lambda: get_budget({}), "budget must be one of seconds, default, best, got {}"),  # type: ignore[arg-type]
        (lambda: Network.from_dict({"banks": [{}]}), "filters of the bank must be given"),
        (lambda: get_recipe("fast"), "one of seconds, default, best, mnist, small, tiny, post, got 'fast'"),
    ],
)
def test_values_out_of_range_are_reported(make, words):
    with pytest.raises(InputError) as caught:
        make()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_triangle_schedule_rises_to_the_learning_rate_and_falls_to_0():
    recipe = Recipe(1, learning_rate=2.0, warmup=0.25)
    rates = [recipe.learning_rate_at(x) for x in (0, 0.125, 0.25, 0.625, 1)]
    assert rates == pytest.approx([0, 1, 2, 1, 0])
    assert Recipe(1, learning_rate=2.0, warmup=0).learning_rate_at(0) == 2
    assert Recipe(1, learning_rate=2.0, warmup=1).learning_rate_at(0.5) == 1
    assert Recipe(1, learning_rate=2.0, schedule="constant").learning_rate_at(0.9) == 2
