"""What is written about one video: table, film, plot and summary."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack

from emopy.cli.outputs import Outputs
from emopy.cli.progress import track
from emopy.cli.stdout import outliving_reader
from emopy.errors import InputError
from emopy.fermodel import FERModel
from emopy.files import atomic_file
from emopy.media import Video
from emopy.present import Table, TimelinePlot, VideoSink, open_table
from emopy.types import ImageResult, RGBImage
from emopy.video import Summary


class Writers:
    """Writes everything that was asked for about one video; it appears when all is whole.

    Args:
        outputs: The files.
        labels: The emotions.
        video: The video, open.
        table: Format of the table's file; None by its suffix.
        rows: Another table that gets the rows too, already open; None for none.
        faces: Whether faces are "shown" beside the plot or "hidden".
    """

    def __init__(
        self,
        outputs: Outputs,
        labels: tuple[str, ...],
        video: Video,
        *,
        table: str | None = None,
        rows: Table | None = None,
        faces: str = "hidden",
    ) -> None:
        self.summary = Summary(labels)
        self._outputs = outputs
        self._rows = rows
        self._faces = faces
        self._plot = TimelinePlot(labels)
        self._table = open_table(outputs.out, labels, format=table) if outputs.out else None
        self._film = VideoSink(outputs.draw, size=video.size) if outputs.draw else None

    def run(self, model: FERModel, video: Video, smoothing_s: float) -> None:
        """Read the video to its end.

        Raises:
            InputError: There is no frame, or something cannot be written.
        """
        with ExitStack() as stack:
            for writer in filter(None, (self._table, self._film)):
                stack.enter_context(writer)
            results = model.predict_frames(video, source=video.source, smoothing_s=smoothing_s)
            busy = self._rows is not None and sys.stdout.isatty()
            for frame, result in track(results, video.frames, video.source, busy=busy):
                self._take(frame.image, result)
            if not self.summary.frames:
                raise InputError(
                    f"`{video.source}` must have frames in the part asked for. Received none. "
                    "Type another --start or --end."
                )
            self._conclude()

    def _take(self, image: RGBImage, result: ImageResult) -> None:
        self.summary.add(result)
        if self._rows:
            with outliving_reader(self._outputs.files):
                self._rows.write(result)
        if self._table:
            self._table.write(result)
        if self._film:
            self._film.write(image, result)
        if self._outputs.plot:
            self._plot.add(result, image if self._faces == "shown" else None)

    def _conclude(self) -> None:
        if self._outputs.plot:
            self._plot.save(self._outputs.plot)
        if self._outputs.summary:
            text = json.dumps(self.summary.to_dict(), ensure_ascii=False, indent=2)
            with atomic_file(self._outputs.summary) as partial:
                partial.write_text(text + "\n", encoding="utf-8")
