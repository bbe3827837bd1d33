"""Clients of an EmoPy service (`emopy serve`): blocking, and for asyncio."""

from emopy.client.clients import AsyncClient, Client
from emopy.client.messages import ServiceError

__all__ = ["AsyncClient", "Client", "ServiceError"]
