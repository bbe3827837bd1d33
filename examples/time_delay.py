"""A network of 3D convolutions for clips, whose kernels reach over neighboring frames.

python examples/time_delay.py
python examples/time_delay.py --epochs 1
"""

import argparse
from dataclasses import replace
from pathlib import Path

from emopy.data import Augmentation
from emopy.evaluate import evaluate
from emopy.nets import TimeDelayConvNN
from emopy.samples import sample_clip_splits
from emopy.train import FitSettings, export, fit


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train a network of 3D convolutions on clips.")
    parser.add_argument("--epochs", type=int, default=30, help="passes over the clips")
    parser.add_argument("--frames", type=int, default=4, help="frames of each clip, 2 to 8")
    parser.add_argument("--filters", type=int, default=8, help="channels of the first layer")
    parser.add_argument("--out", type=Path, default=Path("runs/time-delay"), help="model folder")
    options = parser.parse_args(arguments)

    splits = sample_clip_splits(frames=options.frames)
    print(f"Clips: {splits}, each {splits.train.images.shape[1:]}")

    # (frames, rows, columns) of each kernel: with 1 frame the network could not see movement.
    # The grid pools nine regions of the face separately.
    run = fit(
        TimeDelayConvNN,
        splits,
        settings=FitSettings(epochs=options.epochs, batch_size=8, learning_rate=4e-3),
        augmentation=Augmentation(flip=0.5, shift=0.05, rotation_deg=8, contrast=0.2),
        net_settings={"filters": options.filters, "kernel_size": [3, 3, 3], "grid": 3},
    )
    folder = export(run, options.out)
    report = evaluate(folder, splits.test)
    print(report)
    print(f"accuracy {report.accuracy:.1%}; chance: {1 / len(report.labels):.1%}")

    # Does the order of frames matter? Evaluate on the same clips backwards.
    reversed_clips = replace(splits.test, images=splits.test.images[:, ::-1])
    backwards = evaluate(folder, reversed_clips)
    print(f"the same clips backwards: accuracy {backwards.accuracy:.1%}")


if __name__ == "__main__":
    main()
