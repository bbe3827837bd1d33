"""Train the network of a recipe with PyTorch on one core, in bfloat16 where the CPU speeds it up.

    pip install torch==2.13.0
    python -m research.torch_training RECIPE [--set fit.seed=1 ...] [--kept-epochs N] --out FOLDER

The arguments, the batches, the loss, the optimizer, the schedule and the run folder are those of
`emopy train`, and the weights end in the same Keras network. On a CPU with matrix units for
bfloat16 (Intel AMX) it takes about a third of the time. Rerun the command to resume. Settings that
it does not support are refused. PyTorch compiles the network and needs a C++ compiler for it.

With teachers, the augmented crops of some epochs and the teachers' probabilities for them are kept
in runs/predictions, and all students train on them in turn, in another order. The probabilities are
the mean over the crop and its mirror image, and hold for both. Those of the bundled models, hours
of computing, are in research/models/predictions and are used from there.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import math
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import astuple, replace
from importlib import import_module
from pathlib import Path
from queue import Queue
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
from numpy.typing import NDArray

from emopy.data import Dataset, Splits, load_dataset
from emopy.data.augment import augment_batch
from emopy.files import atomic_file
from emopy.models import InputSpec, load_model, to_tensor
from emopy.models.card import WEIGHTS_FILE
from emopy.nets import get_net
from emopy.train import FitSettings, Recipe, Run, export, load_recipe
from emopy.train.batches import Batch, TrainingBatches, input_spec_of
from emopy.train.fit import parent_models
from emopy.train.run_folder import History, RunFolder, read_metrics, write_metrics
from emopy.train.stages import init_weights_from
from emopy.train.targets import Teachers, sharpen_targets, training_prior
from research import ROOT
from research.torch_network import TorchNetwork, functional, torch

KEPT_EPOCHS = 6
"""Epochs whose augmented crops and predictions are kept, unless another number is asked for."""

CHECKPOINT = "checkpoint.pt"
UNSUPPORTED = ("logit_adjustment", "patience", "dtype_policy", "log")
UNSUPPORTED_WITH_TEACHERS = ("mixup", "cutmix", "class_balanced_sampling")

_BFLOAT16 = bool(torch.cpu.get_capabilities().get("amx_bf16"))

STORED, RUNS = ROOT / "research" / "models" / "predictions", ROOT / "runs" / "predictions"
"""Folders of kept predictions: those of the repository, and those that are made."""


class Predictions:
    """Augmented crops of some epochs and the teachers' probabilities for them, kept in files.

    A file is named by the epoch and by a checksum of all that it follows from. Files of `STORED`
    are read; those that are missing there are made in `RUNS`.

    Args:
        recipe: Its teachers and its augmentation without mirroring are used.
        train: Training data.
        teachers: The teachers; their weight is 1.
        epochs: How many epochs are kept.
    """

    def __init__(self, recipe: Recipe, train: Dataset, teachers: Teachers, epochs: int) -> None:
        self._train = train
        self._epochs = epochs
        self._augmentation = replace(recipe.augment, flip=0.0)
        self._teachers = teachers
        models = [load_model(model).card.files[WEIGHTS_FILE] for model in recipe.fit.teacher]
        settings = (models, recipe.fit.teacher_temperature, astuple(self._augmentation))
        key = hashlib.sha256(repr((settings, train.labels, train.images.shape)).encode())
        key.update(train.images.tobytes())
        self._key = key.hexdigest()[:12]

    def crops(self, epoch: int) -> NDArray[np.uint8]:
        """(n, H, W, C) augmented crops of an epoch, not mirrored."""
        return self._kept(f"{epoch % self._epochs}-crops.npy", lambda: self._augment(epoch))

    def probabilities(self, epoch: int) -> NDArray[np.float16]:
        """(n, k) probabilities of the teachers for the crops of an epoch."""
        return self._kept(f"{epoch % self._epochs}.npy", lambda: self._predict(epoch))

    def prior(self) -> NDArray[np.float64]:
        """(k,) mean probabilities of the teachers for the faces, without augmentation."""
        settings = FitSettings()
        return self._kept(
            "prior.npy", lambda: training_prior(self._train, settings, self._teachers)
        )

    def _kept(self, name: str, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        file = STORED / self._key / name
        if file.is_file():
            return np.load(file)
        file = RUNS / self._key / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another student may be making it
            if not file.is_file():
                with atomic_file(file) as partial, partial.open("wb") as opened:
                    np.save(opened, make())
        return np.load(file, mmap_mode="r")

    def _augment(self, epoch: int) -> NDArray[np.uint8]:
        faces, rows = self._train.images, np.arange(len(self._train))
        return augment_batch(faces, rows, self._augmentation, seed=0, epoch=epoch % self._epochs)

    def _predict(self, epoch: int) -> NDArray[np.float16]:
        crops = self.crops(epoch)
        no_votes = np.zeros((64, len(self._train.labels)), np.float32)
        found: list[NDArray[np.float32]] = []
        for start in range(0, len(crops), 64):  # small parts stay in the cache
            part = np.asarray(crops[start : start + 64])
            views = (part, part[:, :, ::-1])
            each = [self._teachers.distill(view, no_votes[: len(part)]) for view in views]
            found.append(np.mean(each, axis=0))
        return np.concatenate(found).astype(np.float16)


def distilled_batches(
    recipe: Recipe, train: Dataset, spec: InputSpec, predictions: Predictions, epoch: int
) -> Iterator[Batch]:
    """Batches of an epoch: crops, mirrored at random; targets from votes and teachers."""
    settings = recipe.fit
    rng = np.random.default_rng((settings.seed, epoch))
    order, weight = rng.permutation(len(train)), np.float32(settings.teacher_weight)
    crop_epoch = epoch + 5 * settings.seed  # students side by side ask for other epochs first
    predicted = predictions.probabilities(crop_epoch).astype(np.float32)
    targets = np.asarray((1 - weight) * train.targets + weight * predicted, np.float32)
    all_crops = predictions.crops(crop_epoch)
    for start in range(0, len(train), settings.batch_size):
        rows = order[start : start + settings.batch_size]
        crops = all_crops[rows]
        mirrored = rng.random(len(rows)) < recipe.augment.flip
        crops[mirrored] = crops[mirrored][:, :, ::-1]
        yield to_tensor(crops, spec), targets[rows]


class Training:
    """A network, its optimizer and the moving average of its weights.

    Args:
        network: A Keras network; see `TorchNetwork` for its layers.
        recipe: Hyperparameters.
        steps_per_epoch: Batches per epoch.
    """

    def __init__(self, network: keras.Model, recipe: Recipe, steps_per_epoch: int) -> None:
        settings = recipe.fit
        self._settings = settings
        self._steps_per_epoch = steps_per_epoch
        self._steps = steps_per_epoch * settings.epochs
        self._step = 0
        self.network = TorchNetwork(network).to(memory_format=torch.channels_last)
        self.network.check_agreement()
        self._forward = torch.compile(self.network)
        self._weights = [each for each in self.network.parameters() if each.requires_grad]
        self._average = [weight.detach().clone() for weight in self._weights]
        # An average over more than a fifth of the steps would still contain the initial weights.
        self._momentum = min(settings.ema, 1 - 5 / max(self._steps, 10))
        kernels = [weight for weight in self._weights if weight.ndim > 1]
        others = [weight for weight in self._weights if weight.ndim == 1]
        groups = [
            {"params": kernels, "weight_decay": settings.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        self._optimizer = torch.optim.AdamW(groups, eps=1e-7, fused=True)

    def epoch(self, batches: Iterator[Batch]) -> dict[str, float]:
        """Train on batches; return loss and accuracy."""
        self.network.train()
        total = np.zeros(3)
        for tensor, targets in prefetched(batches):
            for group in self._optimizer.param_groups:
                group["lr"] = self._learning_rate()
            expected = torch.from_numpy(targets)
            with torch.autocast("cpu", torch.bfloat16, enabled=_BFLOAT16):
                logits = self._forward(torch.from_numpy(tensor))
            smoothing = self._settings.label_smoothing
            loss = functional.cross_entropy(logits.float(), expected, label_smoothing=smoothing)
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
            self._step += 1
            if self._momentum:
                with torch.no_grad():
                    torch._foreach_lerp_(self._average, self._weights, 1 - self._momentum)
            right = (logits.argmax(1) == expected.argmax(1)).sum().item()
            total += (loss.item() * len(targets), right, len(targets))
        return {"loss": total[0] / total[2], "accuracy": total[1] / total[2]}

    def validate(self, tensor: NDArray[np.float32], targets: NDArray[np.float32]) -> list[float]:
        """Loss and accuracy of the averaged weights."""
        self.swap_average()
        self.network.eval()
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=_BFLOAT16):
            parts = [self.network(part).float() for part in torch.from_numpy(tensor).split(250)]
        self.swap_average()
        logits, expected = torch.cat(parts), torch.from_numpy(targets)
        right = logits.argmax(1) == expected.argmax(1)
        return [functional.cross_entropy(logits, expected).item(), right.float().mean().item()]

    def swap_average(self) -> None:
        """Exchange the weights and their moving average."""
        if not self._momentum:
            return
        for weight, average in zip(self._weights, self._average, strict=True):
            kept = weight.data.clone()
            weight.data.copy_(average)
            average.copy_(kept)

    def save(self, file: Path) -> None:
        """Write a checkpoint."""
        state = (self.network.state_dict(), self._optimizer.state_dict(), self._average, self._step)
        with atomic_file(file) as partial:
            torch.save(state, partial)

    def restore(self, file: Path) -> int:
        """Read a checkpoint; return the complete epochs."""
        network, optimizer, average, self._step = torch.load(file, weights_only=True)
        self.network.load_state_dict(network)
        self._optimizer.load_state_dict(optimizer)
        for kept, value in zip(self._average, average, strict=True):
            kept.copy_(value)
        return self._step // self._steps_per_epoch

    def _learning_rate(self) -> float:
        settings, step = self._settings, self._step
        warmup = round(settings.warmup * self._steps)
        if step < warmup:
            return settings.learning_rate * step / warmup
        part = (step - warmup) / max(1, self._steps - warmup)
        decay = (1 + math.cos(math.pi * part)) / 2
        return settings.learning_rate * (
            settings.min_lr_ratio + (1 - settings.min_lr_ratio) * decay
        )


def prefetched(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The batches, prepared ahead in a thread."""
    queue: Queue[Batch | BaseException | None] = Queue(4)

    def prepare() -> None:
        try:
            for batch in batches:
                queue.put(batch)
            queue.put(None)
        except BaseException as error:  # noqa: BLE001 - raised again where it is read
            queue.put(error)

    threading.Thread(target=prepare, daemon=True).start()
    while (batch := queue.get()) is not None:
        if isinstance(batch, BaseException):
            raise batch
        yield batch


def train(
    recipe: Recipe,
    out: Path,
    network: keras.Model | None = None,
    *,
    kept_epochs: int = KEPT_EPOCHS,
) -> Path:
    """Train a recipe and export the model folder; what is finished is kept.

    Args:
        recipe: All settings.
        out: Run folder.
        network: Trained in place of that of the recipe.
        kept_epochs: With teachers, epochs whose crops are used in turn.

    Returns:
        The model folder.
    """
    settings = recipe.fit
    _check(settings, out)
    torch.set_num_threads(1)
    import_module("cv2").setNumThreads(1)
    faces, held_out = (load_dataset(ROOT / p) for p in (recipe.data.train, recipe.data.validation))
    spec, labels = input_spec_of(faces), faces.labels
    if network is None:
        keras.utils.set_random_seed(settings.seed)
        network = get_net(recipe.net.name)(spec.shape, len(labels), **recipe.net.settings)
    if settings.init_from:
        spec = init_weights_from(settings.init_from, network, labels)
    parents, splits = parent_models(settings), Splits.of(faces, held_out)
    folder, model = RunFolder(out, recipe, splits, parents), out / "model"
    faces = replace(faces, targets=sharpen_targets(faces.targets, settings.target_sharpening))
    history = folder.load_finished(network)
    if history is not None and model.is_dir():
        return model
    predictions = None
    if settings.teacher:
        temperature = settings.teacher_temperature
        teachers = Teachers(settings.teacher, labels, weight=1.0, temperature=temperature)
        predictions = Predictions(recipe, faces, teachers, kept_epochs)
    if history is None:
        history = _train(recipe, faces, held_out, network, spec, predictions, out)
        folder.finish(network, history)
    (out / CHECKPOINT).unlink(missing_ok=True)
    prior = training_prior(faces, settings, None)
    if predictions is not None:
        smoothing = settings.label_smoothing
        predicted = (1 - smoothing) * predictions.prior() + smoothing / len(labels)
        prior = (1 - settings.teacher_weight) * prior + settings.teacher_weight * predicted
    run = Run(
        model=network,
        labels=labels,
        spec=spec,
        recipe=recipe,
        history=tuple(history),
        folder=out,
        label_prior=dict(zip(labels, map(float, prior), strict=True)),
        crops=held_out.images[:256],
        parent_models=parents,
    )
    return export(run, model)


def _check(settings: FitSettings, out: Path) -> None:
    defaults = FitSettings()
    names = UNSUPPORTED + (UNSUPPORTED_WITH_TEACHERS if settings.teacher else ())
    for name in names:
        if getattr(settings, name) != getattr(defaults, name):
            raise SystemExit(f"`fit.{name}` is not supported here. Use `emopy train`.")
    if (out / "checkpoint.npz").exists():
        raise SystemExit(f"{out} holds a run of `emopy train`. Resume it with that command.")


def _train(
    recipe: Recipe,
    faces: Dataset,
    held_out: Dataset,
    network: keras.Model,
    spec: InputSpec,
    predictions: Predictions | None,
    out: Path,
) -> History:
    settings = recipe.fit
    training = Training(network, recipe, math.ceil(len(faces) / settings.batch_size))
    validation = to_tensor(held_out.images, spec), held_out.targets
    checkpoint, metrics = out / CHECKPOINT, out / "metrics.csv"
    history: History = []
    if checkpoint.is_file():
        history = read_metrics(metrics)[: training.restore(checkpoint)]
    for epoch in range(len(history), settings.epochs):
        if predictions is not None:
            batches = distilled_batches(recipe, faces, spec, predictions, epoch)
        else:
            whole = TrainingBatches(faces, spec, recipe.augment, settings, epoch=epoch)
            batches = (whole[i] for i in range(len(whole)))
        row = {"epoch": epoch + 1, **training.epoch(batches)}
        val_loss, val_accuracy = training.validate(*validation)
        history.append({**row, "val_loss": val_loss, "val_accuracy": val_accuracy})
        print(*(f"{key} {value:.4g}" for key, value in history[-1].items()), flush=True)
        write_metrics(metrics, history)
        training.save(checkpoint)
    training.swap_average()
    training.network.copy_to_keras()
    return history


def main() -> None:
    """Train, or resume."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipe")
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="KEY=VALUE")
    parser.add_argument("--kept-epochs", type=int, default=KEPT_EPOCHS, metavar="N")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    recipe = load_recipe(options.recipe, options.settings)
    print(train(recipe, options.out, kept_epochs=options.kept_epochs))


if __name__ == "__main__":
    main()
