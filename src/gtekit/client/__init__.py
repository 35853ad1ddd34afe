"""A model behind `gtekit serve`, with the methods of a local one: Client, and AsyncClient for asyncio."""

from gtekit.client.async_client import AsyncClient
from gtekit.client.client import Client

__all__ = ["AsyncClient", "Client"]
