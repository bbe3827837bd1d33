"""Train the network of a recipe with PyTorch on one core, in bfloat16 where the CPU speeds it up.

    pip install torch==2.13.0
    python -m research.torch_training RECIPE [--set fit.seed=1 ...] --out runs/NAME

The arguments, the batches, the loss, the optimizer, the schedule and the run folder are those of
`emopy train`, and the weights end in the same Keras network. On a CPU with matrix units for
bfloat16 (Intel AMX) it takes about a third of the time, on others about five sixths. Rerun the
command to resume.

With teachers, the answers to the augmented crops of some epochs are kept in runs/answers and used
in turn: they are the mean over the crop and its mirror image, and hold for both.
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
from itertools import chain
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
from emopy.train import Recipe, Run, export, load_recipe
from emopy.train.batches import Batch, TrainingBatches, input_spec_of
from emopy.train.run_folder import History, RunFolder, read_metrics
from emopy.train.targets import Teachers, training_prior
from research import ROOT
from research.torch_network import TorchNetwork, functional, torch

ANSWERED_EPOCHS = 6
"""Epochs whose augmented crops the teachers answer."""

_BFLOAT16 = bool(torch.cpu.get_capabilities().get("amx_bf16"))


class Answers:
    """Probabilities of the teachers for the augmented crops of some epochs, kept in files.

    Args:
        recipe: Its teachers and its augmentation without mirroring are used.
        train: Training data.
    """

    def __init__(self, recipe: Recipe, train: Dataset) -> None:
        settings = recipe.fit
        self._train = train
        self._augmentation = replace(recipe.augment, flip=0.0)
        self._teachers = Teachers(
            settings.teacher, train.labels, weight=1.0, temperature=settings.teacher_temperature
        )
        sums = [load_model(model).card.files[WEIGHTS_FILE] for model in settings.teacher]
        key = hashlib.sha256(repr((sums, astuple(self._augmentation), len(train))).encode())
        self._folder = ROOT / "runs" / "answers" / key.hexdigest()[:12]

    def crops(self, epoch: int) -> NDArray[np.uint8]:
        """(n, H, W, C) augmented crops of an epoch, not mirrored."""
        return self._kept(f"{epoch % ANSWERED_EPOCHS}-crops.npy", lambda: self._augmented(epoch))

    def of(self, epoch: int) -> NDArray[np.float16]:
        """(n, k) probabilities for the crops of an epoch."""
        return self._kept(f"{epoch % ANSWERED_EPOCHS}.npy", lambda: self._answered(epoch))

    def _kept(self, name: str, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        file = self._folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another student may be making it
            if not file.is_file():
                with atomic_file(file) as partial, partial.open("wb") as opened:
                    np.save(opened, make())
        return np.load(file, mmap_mode="r")

    def _augmented(self, epoch: int) -> NDArray[np.uint8]:
        faces, epoch = self._train, epoch % ANSWERED_EPOCHS
        rows = np.arange(len(faces))
        return augment_batch(faces.images, rows, self._augmentation, seed=0, epoch=epoch)

    def _answered(self, epoch: int) -> NDArray[np.float16]:
        crops, found = self.crops(epoch), []
        none = np.zeros((len(crops), len(self._train.labels)), np.float32)
        for start in range(0, len(crops), 512):
            part = slice(start, start + 512)
            views = (crops[part], crops[part, :, ::-1])
            found.append(np.mean([self._teachers.distill(v, none[part]) for v in views], axis=0))
        return np.concatenate(found).astype(np.float16)


def answered_batches(
    recipe: Recipe, train: Dataset, spec: InputSpec, answers: Answers, epoch: int
) -> Iterator[Batch]:
    """Batches of an epoch: crops, mirrored at random, with votes and answers as targets."""
    settings = recipe.fit
    rng = np.random.default_rng((settings.seed, epoch))
    order, weight = rng.permutation(len(train)), np.float32(settings.teacher_weight)
    taken = epoch + 5 * settings.seed  # students side by side ask for other epochs first
    answered, kept = answers.of(taken).astype(np.float32), answers.crops(taken)
    targets = np.asarray((1 - weight) * train.targets + weight * answered, np.float32)
    for start in range(0, len(train), settings.batch_size):
        rows = order[start : start + settings.batch_size]
        crops = kept[rows]
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
        self._steps = steps_per_epoch * settings.epochs
        self._step = 0
        self.network = TorchNetwork(network).to(memory_format=torch.channels_last)
        self._forward = torch.compile(self.network) if _BFLOAT16 else self.network
        self._weights = list(self.network.parameters())
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
            loss = functional.cross_entropy(logits.float(), expected)
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

    def restore(self, file: Path) -> None:
        """Read a checkpoint."""
        network, optimizer, average, self._step = torch.load(file, weights_only=True)
        self.network.load_state_dict(network)
        self._optimizer.load_state_dict(optimizer)
        for kept, value in zip(self._average, average, strict=True):
            kept.copy_(value)

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


def train(recipe: Recipe, out: Path, network: keras.Model | None = None) -> Path:
    """Train a recipe and export the model folder.

    Args:
        recipe: All settings.
        out: Run folder.
        network: Trained in place of that of the recipe.

    Returns:
        The model folder.
    """
    settings = recipe.fit
    torch.set_num_threads(1)
    import_module("cv2").setNumThreads(1)
    keras.utils.set_random_seed(settings.seed)
    faces, held_out = (load_dataset(ROOT / p) for p in (recipe.data.train, recipe.data.validation))
    spec = input_spec_of(faces)
    if network is None:
        network = get_net(recipe.net.name)(spec.shape, len(faces.labels), **recipe.net.settings)
    parents = [load_model(model).card for model in settings.teacher]
    names = tuple(f"{card.name} {card.version}, {card.files[WEIGHTS_FILE]}" for card in parents)
    folder = RunFolder(out, recipe, Splits.of(faces, held_out), names)
    answers = Answers(recipe, faces) if settings.teacher else None
    history = folder.load_finished(network)
    if history is None:
        history = _train(recipe, faces, held_out, network, answers, out)
        folder.finish(network, history)
    teachers = Teachers(settings.teacher, faces.labels, weight=settings.teacher_weight)
    prior = training_prior(faces, settings, teachers if settings.teacher else None)
    run = Run(
        model=network,
        labels=faces.labels,
        spec=spec,
        recipe=recipe,
        history=tuple(history),
        folder=out,
        label_prior=dict(zip(faces.labels, map(float, prior), strict=True)),
        crops=held_out.images[:256],
        parent_models=names,
    )
    return export(run, out / "model")


def _train(
    recipe: Recipe,
    faces: Dataset,
    held_out: Dataset,
    network: keras.Model,
    answers: Answers | None,
    out: Path,
) -> History:
    spec, settings = input_spec_of(faces), recipe.fit
    training = Training(network, recipe, math.ceil(len(faces) / settings.batch_size))
    validation = to_tensor(held_out.images, spec), held_out.targets
    checkpoint, metrics = out / "checkpoint.pt", out / "metrics.csv"
    history: History = []
    if checkpoint.is_file():
        training.restore(checkpoint)
        history = read_metrics(metrics)
    for epoch in range(len(history), settings.epochs):
        if answers is not None:
            batches = answered_batches(recipe, faces, spec, answers, epoch)
        else:
            whole = TrainingBatches(faces, spec, recipe.augment, settings, epoch=epoch)
            batches = (whole[i] for i in range(len(whole)))
        row = {"epoch": epoch + 1, **training.epoch(batches)}
        val_loss, val_accuracy = training.validate(*validation)
        history.append({**row, "val_loss": val_loss, "val_accuracy": val_accuracy})
        print(*(f"{key} {value:.4g}" for key, value in history[-1].items()), flush=True)
        training.save(checkpoint)
        with atomic_file(metrics) as partial:
            lines = (",".join(map(str, row.values())) for row in history)
            partial.write_text("\n".join(chain([",".join(history[0])], lines, [""])))
    training.swap_average()
    training.network.copy_to_keras()
    checkpoint.unlink(missing_ok=True)
    return history


def main() -> None:
    """Train, or resume."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipe")
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="KEY=VALUE")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    print(train(load_recipe(options.recipe, options.settings), options.out))


if __name__ == "__main__":
    main()
