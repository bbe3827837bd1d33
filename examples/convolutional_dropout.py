"""Dropout, batch normalization, weight decay, early stopping and calibration.

python examples/convolutional_dropout.py
python examples/convolutional_dropout.py --epochs 1
"""

import argparse
from pathlib import Path

from emopy.data import Augmentation
from emopy.evaluate import calibrate, evaluate
from emopy.nets import ConvolutionalNNDropout
from emopy.samples import sample_splits
from emopy.train import FitSettings, export, fit


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train a regularized convolutional network.")
    parser.add_argument("--epochs", type=int, default=30, help="largest number of epochs")
    parser.add_argument("--filters", type=int, default=12, help="channels of the first layers")
    parser.add_argument("--out", type=Path, default=Path("runs/dropout"), help="model folder")
    options = parser.parse_args(arguments)

    splits = sample_splits()
    print(f"Faces: {splits}")

    run = fit(
        ConvolutionalNNDropout,
        splits,
        settings=FitSettings(
            epochs=options.epochs,
            batch_size=16,
            learning_rate=4e-3,
            ema=0.9,  # validate and export a moving average of the weights
            patience=8,  # stop after so many epochs without a lower validation loss
        ),
        augmentation=Augmentation(flip=0.5, shift=0.05, rotation_deg=8, contrast=0.2),
        net_settings={"filters": options.filters, "dropout": 0.1, "l2": 1e-4},
    )

    # Training accuracy above validation accuracy is overfitting: more dropout, or more faces.
    best = min(run.history, key=lambda epoch: epoch["val_loss"])
    print(f"best epoch {best['epoch']:.0f} of {len(run.history)}")
    print(f"training {best['accuracy']:.1%}, validation {best['val_accuracy']:.1%}")

    # Networks are overconfident; a temperature, fitted on held-out faces, corrects that.
    folder = export(run, options.out)
    before = evaluate(folder, splits.test)
    temperature = calibrate(folder, splits.calibration)
    after = evaluate(folder, splits.test)
    print(f"temperature {temperature:.2f}: log loss {before.log_loss:.3f} → {after.log_loss:.3f}")
    print(f"accuracy {after.accuracy:.1%}; chance: {1 / len(after.labels):.1%}")


if __name__ == "__main__":
    main()
