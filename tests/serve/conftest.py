"""One server with the endpoints of Vault and Consul for all tests of clients."""

from collections.abc import Iterator

import pytest

from serve import Serve


@pytest.fixture(scope="session")
def server() -> Iterator[Serve]:
    config = {"server": {"vault": {"token_file": "admin.token"}, "consul": {"token_file": "admin.token"}}}
    with Serve(config) as serve:
        yield serve
