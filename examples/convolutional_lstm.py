"""A recurrent network for clips, which predicts each frame with the frames before it.

python examples/convolutional_lstm.py --epochs 30
"""

import argparse
from pathlib import Path

import numpy as np

from emopy import FERModel
from emopy.data import Augmentation
from emopy.evaluate import evaluate
from emopy.nets import ConvolutionalLstmNN
from emopy.samples import sample_clip_splits, sample_clips
from emopy.train import FitSettings, export, fit


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train a recurrent network on clips.")
    parser.add_argument("--epochs", type=int, default=30, help="passes over the clips")
    parser.add_argument("--filters", type=int, default=8, help="channels of the first layers")
    parser.add_argument("--out", type=Path, default=Path("runs/lstm"), help="model folder")
    options = parser.parse_args(arguments)

    # Clips of four frames, from neutral to the peak of an emotion; the label is that of the peak.
    splits = sample_clip_splits(frames=4)
    print(f"Clips: {splits}, each {splits.train.images.shape[1:]}")

    # All frames of a clip are augmented alike.
    run = fit(
        ConvolutionalLstmNN,
        splits,
        settings=FitSettings(epochs=options.epochs, batch_size=8, learning_rate=3e-3),
        augmentation=Augmentation(flip=0.5, shift=0.06, rotation_deg=10, zoom=0.1, contrast=0.2),
        net_settings={"filters": options.filters, "dropout": 0.2},
    )
    folder = export(run, options.out)
    report = evaluate(folder, splits.test)
    print(f"accuracy {report.accuracy:.1%}; chance: {1 / len(report.labels):.1%}")

    # Longer clips, frame by frame: each frame is predicted with the three before it.
    clips = sample_clips(frames=8)
    clips = clips.take(np.char.startswith(clips.sources, "test/"))
    model = FERModel(model=folder)
    probabilities = [
        [prediction.to_dict()[clips.labels[truth]] for prediction in model.predict_sequence(clip)]
        for clip, truth in zip(clips.images, clips.truth, strict=True)
    ]
    print("Mean probability of the true emotion, from neutral to its peak:")
    for number, mean in enumerate(np.mean(probabilities, axis=0), start=1):
        print(f"frame {number}: {mean:5.1%} {'█' * round(50 * mean)}")


if __name__ == "__main__":
    main()
