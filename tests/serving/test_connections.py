"""All connections of a server, looked after one by one."""

from typing import Any

from tests.serving.conftest import StartServer, until
from tests.serving.sockets import Wire, get


def test_a_connection_that_can_t_be_looked_after_is_cut_and_the_others_keep_their_time_outs(
    start_server: StartServer,
) -> None:
    server = start_server(header_timeout_s=0.5, body_timeout_s=0.5, keep_alive_s=0.5)
    connections: Any = server.server._connections
    with Wire(server.port) as broken:
        until(lambda: len(connections.open) == 1)
        (connection,) = connections.open

        def fail(now: float) -> None:
            raise ValueError("a mistake of ours")

        connection.look_after = fail
        assert broken.is_closed()
    with Wire(server.port) as silent:
        assert silent.rest() == b""  # closed: somebody looks at the clock still
    with Wire(server.port) as good:
        assert good.send(get("/live")).receive().status == 200
