"""Predict the expression of every face in some images.

python examples/predictor.py                  # the sample images in the package
python examples/predictor.py group.jpg --emotions calm,anger,happiness
"""

import argparse

from emopy import FailedInput, FERModel
from emopy.samples import sample_images


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Predict the expression of every face in images.")
    parser.add_argument("images", nargs="*", help="files; by default the packaged samples")
    parser.add_argument("--emotions", help="labels to choose among, for example calm,anger")
    parser.add_argument("--model", default="emopy-base", help="a name or a model folder")
    options = parser.parse_args(arguments)

    emotions = options.emotions.split(",") if options.emotions else "standard"
    model = FERModel(emotions, model=options.model)

    # Many images at once: faces of several images form one batch of the model.
    for result in model.predict_many(options.images or sample_images().values()):
        print(f"\n{result.source}")
        if isinstance(result, FailedInput):  # a bad file does not stop the others
            print(f"  {result.error}")
            continue
        if not result.faces:
            print("  no face found")
        for face in result.faces:  # largest first
            print(f"  {face.emotion}, in a box of {face.box.width:.0f} × {face.box.height:.0f}")
            for emotion, probability in face.prediction.top(len(model.labels)):
                print(f"    {emotion:<10} {probability:5.1%} {'█' * round(30 * probability)}")


if __name__ == "__main__":
    main()
