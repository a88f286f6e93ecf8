"""What runs in a process of a cluster, without one: weights that come along, versions, a process that is broken."""

import os
import tempfile
from pathlib import Path

import pytest

from tests.searching.conftest import evaluate, footprint_of
from tinynas.architecture import Architecture, Block, Head
from tinynas.searching import node
from tinynas.searching.jobs import FinalJob, Job, Outcome, StartFile
from tinynas.searching.trouble import ERROR, Trouble
from tinynas.version import __version__

NET = Architecture((8, 8, 1), (Block("conv", 4, 3),), Head(), 3)


class Box:
    """The mailbox of a search, in this process; calls go as Ray's do."""

    def __init__(self):
        self.mail = node.Mail()
        self.put = type("Put", (), {"remote": staticmethod(self.mail.put)})


class Works:
    """Looks at the file that a job begins with."""

    def __init__(self, dataset, settings, threads):
        self.read = None

    def evaluate(self, job):
        self.read = None if job.start is None else (job.start.path.name, job.start.path.read_bytes())
        return Outcome(evaluate(job.architecture), trouble=Trouble(ERROR, "broken") if job.number == 13 else None)

    def final(self, job, report):
        report("an epoch")
        return self.read


@pytest.fixture
def session(monkeypatch):
    monkeypatch.setattr(node, "_key", "")
    monkeypatch.setattr(node, "_works", None)
    monkeypatch.setattr(node, "_is_broken", False)
    monkeypatch.setattr(node, "_own_temporary_folder", lambda: None)
    ray = type("Ray", (), {"get": staticmethod(lambda data: data)})
    ray.util = type("Util", (), {"get_node_ip_address": staticmethod(lambda: "10.0.0.7")})
    monkeypatch.setitem(__import__("sys").modules, "ray", ray)
    return lambda version=__version__: node.Session("a", version, ["data"], None, 1, Works, Box())


def _job(number, start=None):
    return Job(number, 0, None, NET, "proxy", number, footprint_of(NET), start=start)


def test_a_job_finds_the_weights_of_another_machine_in_a_file_that_goes_with_it(session):
    there = session()
    start = StartFile(Path("/only/on/the/coordinator/12.npz"), NET)
    outcome = node.evaluate(there, _job(3, start), b"weights")
    assert outcome.evaluation == evaluate(NET)
    assert node._works.read == ("12.npz", b"weights")
    assert there.mail.mail.take() == [(node.BEGAN, 3)]
    assert there.mail.mail.take() == []
    node.final(there, FinalJob(NET, 0, 1, None), None)
    assert there.mail.mail.take() == [(node.PROGRESS, "an epoch")]


def test_another_version_on_a_node_is_a_sentence(session):
    with pytest.raises(
        node.NodeError, match=r"node 10\.0\.0\.7 has tinynas .* runs with 9\.9: install the same version"
    ):
        node.evaluate(session("9.9"), _job(1), None)


def test_a_process_that_may_be_broken_does_nothing_more(session, monkeypatch):
    ended = []
    monkeypatch.setattr(os, "_exit", lambda code: ended.append(code))
    there = session()
    node.evaluate(there, _job(13), None)
    assert ended == []
    node.evaluate(there, _job(1), None)
    assert ended == [1]


def test_what_a_kill_left_is_removed_by_the_next_process(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("TINYNAS_TEMPORARY", raising=False)
    monkeypatch.setattr("atexit.register", lambda *a, **k: None)
    root = tmp_path / f"tinynas-{os.getuid()}"
    for name in (str(2**22 + 1), str(os.getppid()), "notes"):  # above the highest process number; one that lives
        (root / name).mkdir(parents=True)
    node._own_temporary_folder()
    assert sorted(path.name for path in root.iterdir()) == sorted([str(os.getppid()), str(os.getpid()), "notes"])
    assert tempfile.gettempdir() == str(root / str(os.getpid()))
