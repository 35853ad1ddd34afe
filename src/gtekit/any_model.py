"""What tasks and indexes take: a model of this process, or one behind a server."""

from gtekit.client import Client
from gtekit.embedder import Embedder

AnyModel = Embedder | Client
