from dataclasses import replace

import numpy as np

from emopy.data import Dataset, ImageStats, describe


def test_the_description_counts_labels_with_their_proportions_and_bars(make_dataset):
    lines = describe(make_dataset([0, 0, 0, 1], subject_ids=["a", "a", "b", ""])).splitlines()
    assert [line.split() for line in lines] == [
        ["label", "data"],
        ["anger", "3", "75.0%", "█" * 30],
        ["fear", "1", "25.0%", "█" * 10],
        ["joy", "0", "0.0%"],
        ["all", "4"],
        [],
        ["data"],
        ["images", "8", "×", "8", "pixels,", "gray"],
        ["targets", "one", "label", "each"],
        ["subjects", "2"],
        ["duplicates", "none"],
        ["!", "No", "sample", "of", "joy:", "it", "is", "not", "trained."],
    ]


def test_the_description_has_a_column_and_a_block_per_split_and_no_bars(make_dataset):
    data = make_dataset(np.arange(40) % 3)
    data.images[1] = data.images[0]
    soft = make_dataset([0, 1], labels=("anger", "joy"))
    soft.targets[:] = 0.5
    text = describe({"train": data, "soft": soft})
    assert text.splitlines()[0].split() == ["label", "train", "soft"]
    assert next(line for line in text.splitlines() if line.startswith("fear")).split()[-1] == "–"
    assert "█" not in text
    train, other = text.split("\n\n")[1:]
    assert train.startswith("train\n")
    assert "duplicates  1\n" in train + "\n"
    assert "targets     soft: proportions of votes" in other
    assert "subjects    unknown" in other


def test_clips_and_empty_data_are_described(make_dataset):
    stills = make_dataset([0, 1, 2])
    frames = np.stack([stills.images, 255 - stills.images], axis=1)
    clips = Dataset(frames, stills.targets, stills.labels, stills.subject_ids, stills.sources)
    assert "images      clips of 2, 8 × 8 pixels, gray" in describe(clips)
    assert "No sample of anger, fear, joy" in describe(make_dataset([]))


def test_uneven_labels_are_a_warning(make_dataset):
    assert "! anger is 10 times as frequent as joy" in describe(
        make_dataset([0] * 20 + [1] * 5 + [2] * 2)
    )
    assert "times as frequent" not in describe(make_dataset([0] * 19 + [1] * 2 + [2] * 2))


def test_small_and_long_sources_are_a_warning(make_dataset):
    data = make_dataset([0, 1, 2], side=48)
    stats = ImageStats()
    for width, height in ((20, 20), (48, 48), (640, 480)):
        stats.add(np.zeros((height, width, 3), np.uint8))
    text = describe(replace(data, image_stats=stats))
    assert "images      20–640 pixels wide, 20–480 high" in text
    assert "loaded as   48 × 48 pixels, gray" in text
    assert "! 1 of 3 images are smaller than half of 48 × 48 pixels" in text
    assert "! 1 of 3 images are far from square, and are distorted" in text
    good = ImageStats()
    good.add(np.zeros((48, 40, 3), np.uint8))
    assert "!" not in describe(replace(data, image_stats=good))
