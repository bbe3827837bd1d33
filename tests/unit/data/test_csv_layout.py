import numpy as np
import pytest

from emopy.data import CSVDataLoader, open_data
from emopy.data.csv_layout import parse_pixels, read_settings
from emopy.errors import DataError


def pixels(seed, count=64):
    return " ".join(map(str, np.random.default_rng(seed).integers(0, 256, count)))


@pytest.fixture
def mine(tmp_path):
    """Numbers for labels, in columns and with a delimiter of its own, and no header."""
    path = tmp_path / "mine.csv"
    rows = [f"{pixels(i)};p{i // 2};{i % 3};{'ab'[i // 4]}" for i in range(8)]
    path.write_text("\n".join(rows))
    return path


MEANING = """
label_column = 2
subject_column = 1
usage_column = 3
delimiter = ";"

[labels]
0 = "angry"
1 = "fear"
"""


def explain(path, text):
    path.with_name(path.name + ".toml").write_text(text)
    return path


def test_a_file_is_read_as_the_file_beside_it_says(mine):
    data = open_data(explain(mine, MEANING))
    assert data.counts() == {"anger": 3, "fear": 3}
    assert data.subject_ids.tolist() == ["p0", "p0", "p1", "p2", "p3", "p3"]


def test_one_split_is_named_behind_the_path(mine):
    explain(mine, MEANING + '2 = "sadness"\n')
    assert len(open_data(f"{mine}#a")) == 4
    assert len(open_data(f"{mine}#B")) == 4
    with pytest.raises(DataError, match="Its splits are a, b"):
        open_data(f"{mine}#c")


def test_the_split_in_the_path_goes_before_the_one_in_the_file(mine):
    explain(mine, 'usage = "a"\n' + MEANING)
    assert open_data(mine).sources.tolist() == ["mine.csv:1", "mine.csv:2", "mine.csv:4"]
    assert open_data(f"{mine}#b").sources.tolist() == ["mine.csv:5", "mine.csv:7", "mine.csv:8"]


def test_a_file_like_fer2013_needs_no_explanation(tmp_path):
    path = tmp_path / "fer2013.csv"
    rows = [f"{i},{pixels(i)},{('Training', 'PublicTest')[i % 2]}" for i in range(7)]
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]))
    assert open_data(f"{path}#Training").counts()["anger"] == 1
    assert open_data(f"{path}#PublicTest").counts()["disgust"] == 1


def test_sizes_and_channels_are_understood(tmp_path):
    path = tmp_path / "tall.tsv"
    path.write_text("\n".join(f"{label}\t{pixels(i, 96)}" for i, label in enumerate("ab")))
    explain(path, "size = [12, 8]\nchannels = 3")
    assert open_data(path).images.shape == (2, 12, 8, 3)


def test_a_mark_in_the_name_of_a_file_stays_a_name(tmp_path, mine):
    odd = tmp_path / "set#1.csv"
    odd.write_text("\n".join(f"{label},{pixels(i)}" for i, label in enumerate("ab")))
    assert len(open_data(odd)) == 2
    assert read_settings(tmp_path / "notes.txt#a") is None
    assert read_settings(tmp_path / "#a") is None
    assert read_settings(tmp_path / "mine.csv#") is None


def test_the_loader_itself_takes_its_arguments_only(mine):
    explain(mine, MEANING)
    with pytest.raises(DataError, match="must be names, or numbers with a name"):
        CSVDataLoader(mine, label_column=2).load_data()


def test_numbers_without_a_meaning_name_the_file_to_write(mine):
    with pytest.raises(DataError, match=r'Write into .*mine\.csv\.toml: labels = \{ 0 = "anger"'):
        open_data(explain(mine, "label_column = 2"))


@pytest.mark.parametrize(
    "text, message",
    [
        ("label_columm = 2", "Unknown key `label_columm` .* Did you mean 'label_column'"),
        ("label_column = true", "`label_column` in .* must be a whole number or a string"),
        ("labels = 3", "`labels` in .* must be a mapping, each value a string"),
        ("labels = { 0 = 1, 1 = 2 }", "`labels` in"),
        ("size = [48]", r"`size` in .* must be a list of 2 values, each a whole number"),
        ("channels = 2", "`channels` in .* must be 1 or 3. Received 2"),
        ("usage = 1", "`usage` in"),
        ("delimiter = ", "must be TOML"),
        ('delimiter = "--"', "delimiter` must be one character"),
    ],
)
def test_a_wrong_explanation_is_refused(mine, text, message):
    with pytest.raises(DataError, match=message):
        open_data(explain(mine, text))


def test_pixels_are_read_as_they_are_written():
    numbers = np.random.default_rng(0).integers(0, 256, 2304)
    text = " ".join(map(str, numbers))
    np.testing.assert_array_equal(parse_pixels(text), numbers)
    np.testing.assert_array_equal(parse_pixels(f"  {text.replace(' ', '   ')}\t"), numbers)
    assert parse_pixels("007 0").tolist() == [7, 0]
    assert parse_pixels("").tolist() == []


@pytest.mark.parametrize(
    "text", ["256", "-1 2", "1.5", "1,2", "x", "1 2 x", "99999999999999999999999", "٣ ٤", "[1 2]"]
)
def test_what_is_no_pixel_is_refused_without_a_warning(text):
    with pytest.raises(ValueError, match="whole numbers 0–255"):
        parse_pixels(text)
