"""How long it takes to learn that no cluster is there, with a stand-in for Ray; the real one is in test_cluster.py."""

import os
import socket
from types import SimpleNamespace

import pytest

from tinynas.errors import RunError
from tinynas.searching import connection

TRIES = "RAY_gcs_server_port_wait_time_s"


@pytest.fixture
def joined(monkeypatch):
    """The addresses that Ray was asked to join, with how often it was to try."""
    joined = []
    ray = SimpleNamespace(
        is_initialized=lambda: False,
        init=lambda address, **_: joined.append((address, os.environ.get(TRIES))),
        nodes=lambda: [{"Alive": True, "Resources": {"CPU": 2.0}}],
        util=SimpleNamespace(get_node_ip_address=lambda: "127.0.0.1"),
    )
    monkeypatch.setattr(connection, "library", lambda: ray)
    monkeypatch.setattr(connection, "_came", False)
    for name in (TRIES, "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    return joined


@pytest.fixture
def head():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_a_head_that_listens_is_joined_with_one_try(joined, head):
    assert connection.connect(head) == connection.Nodes(2, 2, 2)
    assert joined == [(head, "1")]
    assert TRIES not in os.environ


def test_a_cluster_that_ray_starts_itself_has_its_time(joined):
    connection.connect("local")
    assert joined == [("local", None)]


def test_who_says_how_often_ray_tries_is_heard(joined, head, monkeypatch):
    monkeypatch.setenv(TRIES, "7")
    connection.connect(head)
    assert joined == [(head, "7")]
    assert os.environ[TRIES] == "7"


def test_the_address_of_the_environment_stands_for_auto(joined, head, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", head)
    connection.connect("auto")
    assert joined == [(head, "1")]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:{free}", "Connection refused"),
        ("localhost:{free}", "Connection refused"),
        ("nothing.invalid", "not known|resolution|No address"),
        ("ray://127.0.0.1:{free}", "HOST or HOST:PORT was wanted"),
        ("127.0.0.1:many", "many"),
    ],
)
def test_where_nothing_listens_ray_is_not_asked(joined, address, said):
    address = address.format(free=_free_port())
    with pytest.raises(RunError, match=rf"^No Ray cluster answers at {address} \(.*({said}).*ray start --head"):
        connection.connect(address)
    assert joined == []
