"""How a search runs here: what of it is refused, and that a cluster is reached for only where one is asked for."""

import sys

import pytest

from tinynas import resume, search
from tinynas.errors import UsageError
from tinynas.searching import running
from tinynas.searching.connection import Nodes
from tinynas.searching.running import checked_running


def test_what_is_no_way_to_run_is_one_sentence():
    with pytest.raises(UsageError, match="executor is 'rays'; wanted processes or ray"):
        checked_running(None, None, "rays", None)
    with pytest.raises(UsageError, match="address names a cluster: it is only for executor ray"):
        checked_running(None, None, None, "auto")
    with pytest.raises(UsageError, match="address is 5; wanted a text"):
        checked_running(None, None, "ray", 5)
    with pytest.raises(UsageError, match="workers is 0; wanted a whole number of at least 1"):
        checked_running(0, None, "ray", None)
    with pytest.raises(UsageError, match="1,000 workers are too many"):
        checked_running(1000, None, None, None)


def test_a_cluster_says_how_many_trials_run_at_once_and_a_node_how_many_threads_the_final_training_has(monkeypatch):
    monkeypatch.setattr(running, "connect", lambda address: Nodes(cpus=96, largest=32, smallest=8))
    asked = checked_running(None, 60.0, "ray", "head")
    assert (asked.workers, asked.threads) == (None, None)
    assert (asked.connected().workers, asked.connected().threads) == (96, 32)
    few = checked_running(1000, None, "ray", None).connected()  # more than one machine may have
    assert (few.workers, few.threads, few.most) == (1000, 32, 1000)
    assert checked_running(2, None, "ray", None).connected().threads == 2
    here = checked_running(2, None, "processes", None)
    assert here.connected() is here


def test_without_ray_it_is_said_how_to_get_it_before_there_is_a_run_folder(stripes, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"pip install 'tinynas\[ray\]'"):
        search(stripes, "nucleo_f401", out=tmp_path / "run", executor="ray")
    assert not (tmp_path / "run").exists()


def test_an_evaluation_of_ones_own_runs_in_this_process(stripes, tmp_path):
    with pytest.raises(UsageError, match="evaluate and executor both say"):
        search(stripes, "nucleo_f401", out=tmp_path / "run", executor="ray", evaluate=len)
    with pytest.raises(UsageError, match="executor is 'nowhere'"):
        resume(tmp_path / "run", stripes, executor="nowhere")
