"""Classical features (HOG, LBP) with an SVM and logistic regression, beside a small network.

Needs scikit-image and scikit-learn: pip install '.[features,train]'
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emopy.data import FeatureExtractor
from emopy.evaluate import evaluate
from emopy.nets import ConvolutionalNNDropout
from emopy.samples import sample_splits
from emopy.train import FitSettings, export, fit


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Classical features beside a network.")
    parser.add_argument("--epochs", type=int, default=20, help="epochs of the network")
    parser.add_argument("--out", type=Path, default=Path("runs/beside"), help="model folder")
    options = parser.parse_args(arguments)

    splits = sample_splits()
    print(f"Faces: {splits}\n{'':<34}numbers per face  accuracy")

    classifiers = {"SVM": SVC(C=10), "logistic regression": LogisticRegression(max_iter=1000)}
    for kinds in (["hog"], ["lbp"], ["hog", "lbp"]):
        train, test = (features(faces.images, kinds) for faces in (splits.train, splits.test))
        for name, classifier in classifiers.items():
            model = make_pipeline(StandardScaler(), classifier).fit(train, splits.train.truth)
            accuracy = model.score(test, splits.test.truth)
            print(f"{' + '.join(kinds) + ', ' + name:<34}{train.shape[1]:>16,}{accuracy:>10.1%}")

    # The network learns its features from the pixels.
    settings = FitSettings(epochs=options.epochs, batch_size=16, learning_rate=4e-3, ema=0.9)
    run = fit(ConvolutionalNNDropout, splits, settings=settings)
    report = evaluate(export(run, options.out), splits.test)
    print(f"{run.model.name:<34}{splits.test.images[0].size:>16,}{report.accuracy:>10.1%}")


def features(images: np.ndarray, kinds: list[str]) -> np.ndarray:
    extractor = FeatureExtractor(images)
    for kind in kinds:
        extractor.add_feature(kind)
    return extractor.extract()


if __name__ == "__main__":
    main()
