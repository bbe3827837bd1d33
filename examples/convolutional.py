"""A plain convolutional network: learn, export, judge, predict.

python examples/convolutional.py
python examples/convolutional.py --epochs 1      # a quick look
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from emopy import FERModel
from emopy.data import Augmentation
from emopy.evaluate import evaluate
from emopy.nets import ConvolutionalNN
from emopy.samples import sample_splits
from emopy.train import FitSettings, export, fit


def main(arguments: Sequence[str] | None = None) -> None:
    options = read_options(arguments)

    # Composite faces that come in the package: four parts that do not overlap.
    splits = sample_splits()
    print(f"Faces: {splits}")

    # Random changes make few faces count for more; they are drawn anew in every epoch.
    run = fit(
        ConvolutionalNN,
        splits,
        settings=FitSettings(epochs=options.epochs, batch_size=16, learning_rate=1e-3),
        augmentation=Augmentation(flip=0.5, shift=0.05, rotation_deg=8, contrast=0.2),
        net_settings={"filters": options.filters, "kernel_size": 3, "dense": 64},
    )
    run.model.summary()

    # What is judged is the exported folder, the very thing that will be used.
    folder = export(run, options.out)
    report = evaluate(folder, splits.test)
    print(report)
    print(f"accuracy {report.accuracy:.1%}; guessing: {1 / len(report.labels):.1%}")

    # The folder is a model like any other. These are cropped faces, so none is searched for.
    model = FERModel(model=folder)
    few = splits.test.take(range(0, len(splits.test), 16))
    for origin, prediction in zip(few.sources, model.predict_faces(few.images), strict=True):
        print(f"{origin}: {prediction.emotion} {prediction.confidence:.0%}")


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a plain convolutional network.")
    parser.add_argument("--epochs", type=int, default=20, help="passes over the faces")
    parser.add_argument("--filters", type=int, default=16, help="channels of the first layers")
    parser.add_argument("--out", type=Path, default=Path("runs/convolutional"), help="model folder")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
