"""A plain convolutional network: train, export, evaluate, predict.

python examples/convolutional.py
python examples/convolutional.py --epochs 1      # a quick look
"""

import argparse
from pathlib import Path

from emopy import FERModel
from emopy.data import Augmentation
from emopy.evaluate import evaluate
from emopy.nets import ConvolutionalNN
from emopy.samples import sample_splits
from emopy.train import FitSettings, export, fit


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train a plain convolutional network.")
    parser.add_argument("--epochs", type=int, default=20, help="passes over the faces")
    parser.add_argument("--filters", type=int, default=16, help="channels of the first layers")
    parser.add_argument("--out", type=Path, default=Path("runs/convolutional"), help="model folder")
    options = parser.parse_args(arguments)

    # Composite faces from the package: four splits that do not overlap.
    splits = sample_splits()
    print(f"Faces: {splits}")

    # Data augmentation: every epoch sees each face changed at random.
    run = fit(
        ConvolutionalNN,
        splits,
        settings=FitSettings(epochs=options.epochs, batch_size=16, learning_rate=1e-3),
        augmentation=Augmentation(flip=0.5, shift=0.05, rotation_deg=8, contrast=0.2),
        net_settings={"filters": options.filters, "kernel_size": 3, "dense": 64},
    )
    run.model.summary()

    # Evaluate the exported model folder: it is what predicts later.
    folder = export(run, options.out)
    report = evaluate(folder, splits.test)
    print(report)
    print(f"accuracy {report.accuracy:.1%}; chance: {1 / len(report.labels):.1%}")

    # Predict with the folder. These are face crops, so no detection is needed.
    model = FERModel(model=folder)
    few = splits.test.take(range(0, len(splits.test), 16))
    for source, prediction in zip(few.sources, model.predict_faces(few.images), strict=True):
        print(f"{source}: {prediction.emotion} {prediction.confidence:.0%}")


if __name__ == "__main__":
    main()
