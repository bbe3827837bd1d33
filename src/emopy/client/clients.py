"""`Client` and `AsyncClient`: predictions of a service, from Python."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar, Self

from emopy.client.messages import (
    DEFAULT_URL,
    Boxes,
    Image,
    Requests,
    check_concurrency,
    connection,
    content_of,
    models_of,
    name_of,
    only_result,
    read_record,
    read_row,
)
from emopy.errors import InputError
from emopy.types import FailedInput, ImageResult

if TYPE_CHECKING:
    import httpx


class _HTTPClient:
    """What both clients are made of: their options, and the connections."""

    _kind: ClassVar[str]
    """Class of httpx that sends the requests."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        emotions: str | Iterable[str] | None = None,
        prior: str | Mapping[str, float] | None = None,
        min_confidence: float | None = None,
        views: int | None = None,
        api_key: str | None = None,
        timeout_s: float = 40.0,
        retries: int = 5,
    ) -> None:
        self._requests = Requests(
            url,
            api_key=api_key,
            timeout_s=timeout_s,
            retries=retries,
            emotions=emotions,
            prior=prior,
            min_confidence=min_confidence,
            views=views,
        )
        with connection(self._requests.httpx):
            self._http: Any = getattr(self._requests.httpx, self._kind)(**self._requests.settings)


class Client(_HTTPClient):
    """Predicts facial expressions with a service.

    Args:
        url: Address of the service.
        emotions: Labels to choose among, as for `FERModel`; None: as the service was started.
        prior: As for `FERModel`; None: as the service was started.
        min_confidence: As for `FERModel`; None: as the service was started.
        views: As for `FERModel`; None: as the service was started.
        api_key: Key of the service.
        timeout_s: Longest time for an answer, seconds; longer than that of the service, whose
            errors then say what was late.
        retries: How often a request is sent again while the service has no free place.

    Raises:
        MissingExtraError: The extra ``client`` is not installed.

    Example::

        with Client("http://127.0.0.1:8000") as client:
            for face in client.predict("group.jpg"):
                print(face.box, face.emotion, face.confidence)
    """

    _kind = "Client"
    _http: httpx.Client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def predict(self, source: Image, *, faces: Boxes | None = None) -> ImageResult:
        """Predict the expression of every face in one image.

        Args:
            source: Path, encoded bytes or binary file object.
            faces: Boxes to predict instead of detected faces, in pixels.

        Raises:
            InputError: The image cannot be read, or the service refuses it.
            ServiceError: There is no answer, or another failure.
        """
        name, content = content_of(source)
        with self._open("/v1/predict", self._requests.query(faces), content) as response:
            response.read()
        return only_result(response, name)

    def predict_many(
        self, sources: Iterable[Image], *, concurrency: int = 4
    ) -> Iterator[ImageResult | FailedInput]:
        """Predict many images, a few at the same time.

        Args:
            sources: Images, consumed as the results are.
            concurrency: Requests at the same time.

        Returns:
            One result per image, in order; an image that cannot be read is a `FailedInput`.

        Raises:
            ServiceError: There is no answer, or another failure.
        """
        check_concurrency(concurrency)
        waiting: deque[Future[ImageResult | FailedInput]] = deque()
        with ThreadPoolExecutor(concurrency, thread_name_prefix="emopy-client") as threads:
            try:
                for source in sources:
                    waiting.append(threads.submit(self._predict_or_fail, source))
                    if len(waiting) > concurrency:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def predict_video(self, source: Image, **options: float) -> Iterator[dict[str, Any]]:
        """Predict a video; the rows come while it is read.

        Args:
            source: Path, encoded bytes or binary file object.
            **options: ``every``, ``fps``, ``start_s``, ``end_s`` and ``smoothing_s``, as for
                `FERModel.predict_video`.

        Returns:
            Rows of the table of results: one per face of a frame. Closing the iterator ends the
            work of the service.

        Raises:
            InputError: The video cannot be read.
            ServiceError: There is no answer, or another failure.
        """
        name, content = content_of(source)
        query = self._requests.query(more=options)
        with self._open("/v1/video", query, content) as response:
            if not response.is_success:
                response.read()
                read_record(response, name)
            for line in response.iter_lines():
                yield read_row(line, name)

    def models(self) -> list[dict[str, Any]]:
        """Return what the service says about its model."""
        with connection(self._requests.httpx):
            return models_of(self._http.get("/v1/models"))

    @contextmanager
    def _open(
        self, path: str, query: Mapping[str, str], content: bytes
    ) -> Generator[httpx.Response]:
        """Post a request until the service has a place for it; give its answer, not read yet."""
        for attempt in count():
            with (
                connection(self._requests.httpx),
                self._http.stream("POST", path, params=query, content=content) as response,
            ):
                wait_s = self._requests.wait_s(response, attempt)
                if wait_s is None:
                    yield response
                    return
            time.sleep(wait_s)

    def _predict_or_fail(self, source: Image) -> ImageResult | FailedInput:
        try:
            return self.predict(source)
        except InputError as error:
            return FailedInput(name_of(source), error)


class AsyncClient(_HTTPClient):
    """`Client` for asyncio: the same arguments and methods, which are awaited.

    Example::

        async with AsyncClient() as client:
            result = await client.predict("group.jpg")
    """

    _kind = "AsyncClient"
    _http: httpx.AsyncClient

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def predict(self, source: Image, *, faces: Boxes | None = None) -> ImageResult:
        """Predict one image, see `Client.predict`."""
        name, content = await asyncio.to_thread(content_of, source)
        async with self._open("/v1/predict", self._requests.query(faces), content) as response:
            await response.aread()
        return only_result(response, name)

    async def predict_many(
        self, sources: Iterable[Image], *, concurrency: int = 4
    ) -> AsyncIterator[ImageResult | FailedInput]:
        """Predict many images, see `Client.predict_many`."""
        check_concurrency(concurrency)
        waiting: deque[asyncio.Task[ImageResult | FailedInput]] = deque()
        try:
            for source in sources:
                waiting.append(asyncio.create_task(self._predict_or_fail(source)))
                if len(waiting) >= concurrency:
                    yield await waiting.popleft()
            while waiting:
                yield await waiting.popleft()
        finally:
            for task in waiting:
                task.cancel()

    async def predict_video(self, source: Image, **options: float) -> AsyncIterator[dict[str, Any]]:
        """Predict a video, see `Client.predict_video`."""
        name, content = await asyncio.to_thread(content_of, source)
        query = self._requests.query(more=options)
        async with self._open("/v1/video", query, content) as response:
            if not response.is_success:
                await response.aread()
                read_record(response, name)
            async for line in response.aiter_lines():
                yield read_row(line, name)

    async def models(self) -> list[dict[str, Any]]:
        """Return what the service says about its model."""
        with connection(self._requests.httpx):
            return models_of(await self._http.get("/v1/models"))

    @asynccontextmanager
    async def _open(
        self, path: str, query: Mapping[str, str], content: bytes
    ) -> AsyncGenerator[httpx.Response]:
        """Post a request, see `Client._open`."""
        for attempt in count():
            with connection(self._requests.httpx):
                async with self._http.stream(
                    "POST", path, params=query, content=content
                ) as response:
                    wait_s = self._requests.wait_s(response, attempt)
                    if wait_s is None:
                        yield response
                        return
            await asyncio.sleep(wait_s)

    async def _predict_or_fail(self, source: Image) -> ImageResult | FailedInput:
        try:
            return await self.predict(source)
        except InputError as error:
            return FailedInput(name_of(source), error)
