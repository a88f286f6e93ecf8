"""Two nodes on this machine: a search on them, one of them killed in the middle, is the search of worker processes.

`make test-ray` installs Ray and runs this; without Ray it is skipped.
"""

import socket
import threading
import time

import pytest

from tests.searching.steady import Steady
from tinynas import search
from tinynas.errors import RunError
from tinynas.runs import read_trials
from tinynas.searching.cluster import Ray
from tinynas.searching.connection import connect, leave
from tools import torture

ray = pytest.importorskip("ray", reason="Ray is not installed: make test-ray")
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow, pytest.mark.xdist_group("ray")]
_STORE_BYTES = 80 << 20
_PATIENCE_S = 240.0


@pytest.fixture(scope="module")
def nodes_file(tmp_path_factory):
    return tmp_path_factory.mktemp("nodes")


@pytest.fixture(scope="module")
def cluster(nodes_file):
    """A head with one CPU, a node with another one."""
    from ray.cluster_utils import Cluster

    patch = pytest.MonkeyPatch()
    patch.setenv("STEADY_NODES", str(nodes_file))
    more = {"num_cpus": 1, "object_store_memory": _STORE_BYTES}
    made = Cluster(initialize_head=True, head_node_args={**more, "include_dashboard": False})
    made.second = made.add_node(**more)
    yield made
    leave()
    made.shutdown()
    patch.undo()


def _search(folder, dataset, executor):
    search(dataset, "nucleo_f401", out=folder, executor=executor, workers=1, progress=False, **torture._SETTINGS)
    return torture.results(folder)


def test_a_search_that_loses_a_node_is_the_search_of_worker_processes(cluster, nodes_file, tmp_path):
    dataset, said = torture.data(), []
    wanted = _search(tmp_path / "processes", dataset, torture.Maker(tmp_path / "processes", 1))
    doomed = cluster.second

    def lose_it():
        """Kill the second node while it works on a trial."""
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            began = {int(path.name): path.read_text().split() for path in nodes_file.iterdir()}
            if sum(doomed.node_id in nodes for nodes in began.values()) >= 2:
                cluster.remove_node(doomed, allow_graceful=False)
                return
            time.sleep(0.1)

    killer = threading.Thread(target=lose_it)
    killer.start()
    make = lambda data, settings: Ray(  # noqa: E731
        data, settings, 2, address=cluster.address, say=said.append, make_worker=Steady
    )
    found = _search(tmp_path / "ray", dataset, make)
    killer.join()
    began = {int(path.name): path.read_text().split() for path in nodes_file.iterdir()}
    assert doomed not in cluster.worker_nodes
    assert any(nodes[0] == doomed.node_id and len(nodes) > 1 for nodes in began.values()), "it was lost in its midst"
    assert said == [], "a node that is lost is no trouble of a child's"
    assert found == wanted


def test_a_real_search_is_that_of_worker_processes(cluster, stripes, tmp_path):
    small = {"n_generations": 1, "n_children": 2, "n_folds": 2, "n_finalists": 1, "final_epochs": 2, "workers": 1}
    for name, where in {"processes": {}, "ray": {"executor": "ray", "address": cluster.address}}.items():
        search(stripes, "nucleo_f401", out=tmp_path / name, progress=False, **small, **where)
    first, second = (torture.results(tmp_path / name) for name in ("processes", "ray"))
    assert len(list(read_trials(tmp_path / "ray" / "journal.sqlite"))) >= 2
    assert second["trials"] == first["trials"]
    for name in ("best/model.tflite", "best/samples.npy"):
        assert second["files"][name] == first["files"][name]


def test_where_no_cluster_is_it_is_said(cluster):
    leave()
    began = time.monotonic()
    with pytest.raises(RunError, match=r"No Ray cluster answers at 127\.0\.0\.1:1 .*ray start --head"):
        connect("127.0.0.1:1")
    assert time.monotonic() - began < 10


def test_what_answers_as_no_head_does_is_not_waited_for(cluster):
    """Ray alone tries twenty times, for a quarter of an hour."""
    leave()
    began = time.monotonic()
    with socket.create_server(("0.0.0.0", 0)) as mute:
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(RunError, match=rf"No Ray cluster answers at {address} "):
            connect(address)
    assert time.monotonic() - began < 60  # 20 s, on a machine that does little else
