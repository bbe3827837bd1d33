"""From a folder of faces to your own model: every step in Python.

python examples/own_folder.py                 # the packaged samples, written as a folder
python examples/own_folder.py faces           # yours: faces/anger/1.png, faces/happy/2.jpg …
"""

import argparse
import tempfile
from pathlib import Path

from emopy import FERModel
from emopy.data import Augmentation, DirectoryDataLoader, check, describe, split
from emopy.evaluate import calibrate, evaluate
from emopy.nets import ConvolutionalNNDropout
from emopy.samples import write_samples
from emopy.train import FitSettings, export, fit


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="From a folder of faces to a model.")
    parser.add_argument("faces", nargs="?", type=Path, help="one folder per emotion")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("runs/mine"), help="model folder")
    options = parser.parse_args(arguments)
    if options.faces is None:
        options.faces = write_samples(tempfile.mkdtemp()) / "stills" / "train"

    # 1 Load. If paths name the person, subject_regex=r"/(S\d+)_" keeps each in one split.
    data = DirectoryDataLoader(options.faces, size=(48, 48), channels=1).load_data()
    for sample in data.skipped:
        print(f"skipped: {sample}")

    # 2 Split, describe and check.
    splits = split(data, validation=0.15, calibration=0.15, test=0.15, seed=0)
    print(describe(splits))
    print(check(splits))

    # 3 Train, 4 export: the model folder is written only if ONNX and Keras agree.
    settings = FitSettings(epochs=options.epochs, batch_size=16, learning_rate=4e-3, ema=0.9)
    augmentation = Augmentation(flip=0.5, shift=0.05, rotation_deg=8, contrast=0.2)
    run = fit(ConvolutionalNNDropout, splits, settings=settings, augmentation=augmentation)
    folder = export(run, options.out, name="mine")

    # 5 Calibrate, 6 evaluate, each on faces that the training did not use.
    print(f"temperature {calibrate(folder, splits.calibration):.2f}")
    print(evaluate(folder, splits.test))

    # 7 Predict. `emopy predict --model` takes the folder too.
    (prediction,) = FERModel(model=folder).predict_faces(splits.test.images[:1])
    print(f"{splits.test.sources[0]}: {prediction.emotion} {prediction.confidence:.0%}")


if __name__ == "__main__":
    main()
