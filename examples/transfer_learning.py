"""Transfer learning: a new head on a pretrained backbone, for few faces of your own.

python examples/transfer_learning.py
python examples/transfer_learning.py --epochs 2 --faces 7
python examples/transfer_learning.py --backbone mobilenet_v2    # pretrained on ImageNet; downloads
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from emopy.data import Augmentation
from emopy.evaluate import evaluate
from emopy.nets import ResidualNN, TransferLearningNN
from emopy.samples import sample_splits
from emopy.train import FitSettings, export, fit


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Transfer learning from a pretrained backbone.")
    parser.add_argument("--epochs", type=int, default=20, help="passes over the faces")
    parser.add_argument("--faces", type=int, default=16, help="training faces of each emotion")
    parser.add_argument("--backbone", default="emopy-base", help="pretrained model")
    parser.add_argument("--out", type=Path, default=Path("runs/transfer"), help="model folders")
    options = parser.parse_args(arguments)

    # Train on a few faces of each emotion only.
    splits = sample_splits()
    few = np.concatenate(
        [np.flatnonzero(splits.train.truth == column)[: options.faces] for column in range(7)]
    )
    splits = replace(splits, train=splits.train.take(few))
    print(f"Faces: {splits}")

    # Half of the epochs train the head alone, the others the top of the backbone too.
    stages = {"head_epochs_fraction": 0.5, "unfreeze_fraction": 0.3, "finetune_lr_ratio": 0.1}
    settings = FitSettings(epochs=options.epochs, batch_size=16, **stages)
    augmentation = Augmentation(flip=0.5, shift=0.05, rotation_deg=8, contrast=0.2)
    head = {"backbone": options.backbone, "dense": 64, "dropout": 0.2}
    transferred = fit(
        TransferLearningNN, splits, settings=settings, augmentation=augmentation, net_settings=head
    )
    from_scratch = fit(ResidualNN, splits, settings=settings, augmentation=augmentation)

    # The samples are averages of the training faces of `emopy-base`: its accuracy is optimistic.
    runs = {f"transfer from {options.backbone}": transferred, "from scratch": from_scratch}
    for name, run in runs.items():
        report = evaluate(export(run, options.out / run.model.name), splits.test)
        print(f"{name}: accuracy {report.accuracy:.1%}; chance: {1 / len(report.labels):.1%}")


if __name__ == "__main__":
    main()
