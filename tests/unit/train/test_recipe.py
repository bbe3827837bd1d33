from dataclasses import dataclass

import pytest

from emopy.data import Augmentation
from emopy.errors import RecipeError
from emopy.train.recipe import FitSettings, Recipe, load_recipe


@pytest.fixture
def recipe_file(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text('name = "mine"\n[fit]\nepochs = 5\n[net.settings]\nwidths = [8, 16]\n')
    return path


def test_missing_keys_of_a_recipe_have_defaults(recipe_file):
    recipe = load_recipe(recipe_file)
    assert (recipe.name, recipe.fit.epochs, recipe.net.settings) == (
        "mine",
        5,
        {"widths": [8, 16]},
    )
    assert recipe.fit.batch_size == Recipe().fit.batch_size


def test_settings_are_overridden(recipe_file):
    recipe = load_recipe(
        recipe_file, ["fit.epochs=3", "fit.learning_rate=1", "net.name=Mine", "augment.flip=0.5"]
    )
    assert (recipe.fit.epochs, recipe.fit.learning_rate) == (3, 1.0)
    assert (recipe.net.name, recipe.augment.flip) == ("Mine", 0.5)


def test_a_written_recipe_loads_unchanged(recipe_file, tmp_path):
    recipe = load_recipe(recipe_file)
    copy = tmp_path / "copy.toml"
    copy.write_text(recipe.to_toml())
    assert load_recipe(copy) == recipe


def test_the_hash_depends_on_the_settings_and_not_on_the_name(recipe_file):
    recipe = load_recipe(recipe_file)
    assert load_recipe(recipe_file, ["name=other"]).sha256 == recipe.sha256
    assert load_recipe(recipe_file, ["fit.seed=1"]).sha256 != recipe.sha256


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("fit.unfreeze=3", "Unknown key `fit.unfreeze`.*Did you mean 'unfreeze_fraction'"),
        ("fit.epoch=3", "Did you mean 'epochs'"),
        ("fitt.epochs=3", "Did you mean 'fit'"),
        ("fit.epochs=0", "`fit.epochs` must be positive"),
        ("fit.epochs=many", "`fit.epochs` in the recipe must be a whole number. Received 'many'"),
        ("fit.epochs=true", "`fit.epochs` in the recipe must be a whole number"),
        ("fit.ema=1.0", r"in \[0, 1\)"),
        ("fit=3", "`fit` in the recipe must be a mapping"),
        ("name.short=3", "`name` is no section"),
        ("fit.class_balanced_sampling=1.5", r"`fit.class_balanced_sampling` must be in \[0, 1\]"),
        ("fit.teacher_weight=2", r"`fit.teacher_weight` must be in \[0, 1\]"),
        ("fit.teacher_temperature=0", "`fit.teacher_temperature` must be positive"),
        ("fit.mixup=-0.1", "`fit.mixup` must be 0 or more"),
        ("fit.seed=-1", "`fit.seed` must be 0 to 4294967295"),
        ("fit.seed=4294967296", "`fit.seed` must be 0 to 4294967295"),
        ("fit.cutmix=-1", "`fit.cutmix` must be 0 or more"),
        ("fit.target_sharpening=0", "`fit.target_sharpening` must be positive"),
        ("fit.logit_adjustment=-1", "`fit.logit_adjustment` must be 0 or more"),
        (
            "fit.logit_adjustment=nan",
            "`fit.logit_adjustment` .* must be a finite number",
        ),
        ("fit.teacher=emopy-base", r"""must be a list.*teacher = \["emopy-base"\], in a"""),
        ("fit.teacher=", r"""in a shell: --set 'fit.teacher=\["first", "second"\]'"""),
        ("fit.teacher=[a, b]", r"""in a shell: --set 'fit.teacher=\["a", "b"\]'"""),
        ("data.num_frames=1", "2 or more for clips"),
        ("augment.flip=2.0", "probability"),
        ("augment.fill=mirror", "one of nearest"),
        ("epochs", "KEY=VALUE"),
    ],
)
def test_an_invalid_setting_is_refused(recipe_file, setting, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(recipe_file, [setting])


def test_a_missing_or_broken_file_is_refused(tmp_path):
    with pytest.raises(RecipeError, match="no such file"):
        load_recipe(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("name = ")
    with pytest.raises(RecipeError, match="must be TOML"):
        load_recipe(broken)


@pytest.mark.parametrize(
    "line",
    [
        "settings.a = " + "[" * 5000 + "]" * 5000,
        "settings.a = " + "[" * 90 + "]" * 90,
        "settings." + ".".join("a" * 900) + " = 1",
        "settings.a = " + "9" * 400,
        "settings.a = " + "9" * 5000,
        "name = " + "9" * 400,
    ],
)
def test_a_recipe_that_is_nested_deep_or_has_huge_numbers_is_refused(tmp_path, line):
    path = tmp_path / "recipe.toml"
    path.write_text(f"[net]\n{line}\n")
    with pytest.raises(RecipeError):
        load_recipe(path)
    path.write_text("")
    key, _, value = line.partition(" = ")
    with pytest.raises(RecipeError):
        load_recipe(path, [f"fit.epochs={value}", f"net.{key}={value}"])


def test_a_path_that_is_not_utf_8_is_refused_before_the_training(recipe_file):
    with pytest.raises(RecipeError, match=r"`data\.train` in the recipe must not hold text that"):
        load_recipe(recipe_file, ["data.train=faces\udce9"])


def test_a_setting_at_its_default_does_not_change_the_hash(recipe_file):
    recipe = load_recipe(recipe_file)
    spelled_out = load_recipe(recipe_file, ["augment.flip=0.0", "fit.batch_size=128"])
    assert spelled_out.sha256 == recipe.sha256


def test_a_setting_that_is_added_later_does_not_change_the_hash():
    @dataclass(frozen=True)
    class LaterSettings(FitSettings):
        added: float = 0.0

    today = Recipe(fit=FitSettings(epochs=5))
    assert Recipe(fit=LaterSettings(epochs=5)).sha256 == today.sha256
    assert Recipe(fit=LaterSettings(epochs=5, added=0.1)).sha256 != today.sha256


@pytest.mark.parametrize(
    "setting",
    ["augment.noise=0.1", "net.name=Other", "net.settings.widths=[8]", "data.train=faces"],
)
def test_the_hash_depends_on_every_section(recipe_file, setting):
    assert load_recipe(recipe_file, [setting]).sha256 != load_recipe(recipe_file).sha256


def test_teachers_are_a_list(recipe_file, tmp_path):
    recipe = load_recipe(recipe_file, ['fit.teacher=["emopy-base", "runs/mine/model"]'])
    assert recipe.fit.teacher == ("emopy-base", "runs/mine/model")
    copy = tmp_path / "copy.toml"
    copy.write_text(recipe.to_toml())
    assert load_recipe(copy) == recipe
    assert FitSettings(teacher=[tmp_path]).teacher == (str(tmp_path),)
    with pytest.raises(RecipeError, match=r'Type for example: \["emopy-base"\]'):
        FitSettings(teacher="emopy-base")


def test_whole_numbers_are_the_same_settings_as_floats():
    settings = {"learning_rate": 1, "mixup": 1, "logit_adjustment": 1}
    floats = {name: float(value) for name, value in settings.items()}
    whole = Recipe(augment=Augmentation(rotation_deg=10), fit=FitSettings(**settings))
    same = Recipe(augment=Augmentation(rotation_deg=10.0), fit=FitSettings(**floats))
    assert whole.sha256 == same.sha256
    assert whole.to_toml() == same.to_toml()
