"""`Client` and `AsyncClient`: predictions of a service, from Python."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self

from emopy.client.messages import (
    DEFAULT_URL,
    Boxes,
    Image,
    Requests,
    connection,
    content_of,
    name_of,
    read_record,
    read_row,
    to_result,
)
from emopy.errors import InputError
from emopy.types import FailedInput, ImageResult

if TYPE_CHECKING:
    import httpx


class Client:
    """Predicts facial expressions with a service.

    Args:
        url: Address of the service.
        emotions: Labels to choose among, as for `FERModel`; None: as the service was started.
        prior: As for `FERModel`; None: as the service was started.
        min_confidence: As for `FERModel`; None: as the service was started.
        api_key: Key of the service.
        timeout_s: Longest time for an answer, seconds.
        retries: How often a request is sent again while the service has no free place.

    Raises:
        MissingExtraError: The extra ``client`` is not installed.

    Example::

        with Client("http://127.0.0.1:8000") as client:
            for face in client.predict("group.jpg"):
                print(face.box, face.emotion, face.confidence)
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        emotions: str | Iterable[str] | None = None,
        prior: str | Mapping[str, float] | None = None,
        min_confidence: float | None = None,
        api_key: str | None = None,
        timeout_s: float = 30.0,
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
        )
        with connection(self._requests.httpx):
            self._http: httpx.Client = self._requests.httpx.Client(**self._requests.settings)

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
        response = self._post("/v1/predict", self._requests.query(faces), content)
        result = to_result(read_record(response, name)["results"][0], name)
        if isinstance(result, FailedInput):
            raise result.error
        return result

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
        if concurrency < 1:
            raise InputError(f"`concurrency` must be 1 or more. Received {concurrency}.")
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
        attempt = 0
        while True:
            with (
                connection(self._requests.httpx),
                self._http.stream("POST", "/v1/video", params=query, content=content) as response,
            ):
                wait_s = self._requests.wait_s(response, attempt)
                if wait_s is None:
                    if not response.is_success:
                        response.read()
                        read_record(response, name)
                    for line in response.iter_lines():
                        yield read_row(line, name)
                    return
            attempt += 1
            time.sleep(wait_s)

    def models(self) -> list[dict[str, Any]]:
        """Return what the service says about its model."""
        with connection(self._requests.httpx):
            return read_record(self._http.get("/v1/models"))["models"]

    def _post(self, path: str, query: Mapping[str, str], content: bytes) -> httpx.Response:
        attempt = 0
        while True:
            with connection(self._requests.httpx):
                response = self._http.post(path, params=query, content=content)
            wait_s = self._requests.wait_s(response, attempt)
            if wait_s is None:
                return response
            attempt += 1
            time.sleep(wait_s)

    def _predict_or_fail(self, source: Image) -> ImageResult | FailedInput:
        try:
            return self.predict(source)
        except InputError as error:
            return FailedInput(name_of(source), error)


class AsyncClient:
    """`Client` for asyncio: the same arguments and methods, which are awaited.

    Example::

        async with AsyncClient() as client:
            result = await client.predict("group.jpg")
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        emotions: str | Iterable[str] | None = None,
        prior: str | Mapping[str, float] | None = None,
        min_confidence: float | None = None,
        api_key: str | None = None,
        timeout_s: float = 30.0,
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
        )
        with connection(self._requests.httpx):
            self._http: httpx.AsyncClient = self._requests.httpx.AsyncClient(
                **self._requests.settings
            )

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
        response = await self._post("/v1/predict", self._requests.query(faces), content)
        result = to_result(read_record(response, name)["results"][0], name)
        if isinstance(result, FailedInput):
            raise result.error
        return result

    async def predict_many(
        self, sources: Iterable[Image], *, concurrency: int = 4
    ) -> AsyncIterator[ImageResult | FailedInput]:
        """Predict many images, see `Client.predict_many`."""
        if concurrency < 1:
            raise InputError(f"`concurrency` must be 1 or more. Received {concurrency}.")
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
        attempt = 0
        while True:
            with connection(self._requests.httpx):
                async with self._http.stream(
                    "POST", "/v1/video", params=query, content=content
                ) as response:
                    wait_s = self._requests.wait_s(response, attempt)
                    if wait_s is None:
                        if not response.is_success:
                            await response.aread()
                            read_record(response, name)
                        async for line in response.aiter_lines():
                            yield read_row(line, name)
                        return
            attempt += 1
            await asyncio.sleep(wait_s)

    async def models(self) -> list[dict[str, Any]]:
        """Return what the service says about its model."""
        with connection(self._requests.httpx):
            return read_record(await self._http.get("/v1/models"))["models"]

    async def _post(self, path: str, query: Mapping[str, str], content: bytes) -> httpx.Response:
        attempt = 0
        while True:
            with connection(self._requests.httpx):
                response = await self._http.post(path, params=query, content=content)
            wait_s = self._requests.wait_s(response, attempt)
            if wait_s is None:
                return response
            attempt += 1
            await asyncio.sleep(wait_s)

    async def _predict_or_fail(self, source: Image) -> ImageResult | FailedInput:
        try:
            return await self.predict(source)
        except InputError as error:
            return FailedInput(name_of(source), error)
