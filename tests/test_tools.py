"""The programs that measure proxies: their sums against hand-made scores, and each once in full, as small as can be."""

import json
import math
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

TOOLS = Path(__file__).parents[1] / "tools"


@pytest.fixture(scope="module")
def tools():
    """The modules of both programs."""
    sys.path.insert(0, str(TOOLS))
    try:
        import bench_train
        import proxy_tau
        import study

        yield proxy_tau, bench_train, study
    finally:
        sys.path.remove(str(TOOLS))


def _pairs(a, b):
    """Kendall's tau without ties: concordant less discordant pairs, over all pairs."""
    signs = [np.sign((a[i] - a[j]) * (b[i] - b[j])) for i, j in combinations(range(len(a)), 2)]
    return sum(signs) / len(signs)


def test_tau_counts_pairs_and_the_better_half(tools):
    proxy_tau, *_ = tools
    rng = np.random.default_rng(0)
    full = dict(enumerate(rng.permutation(20) / 20))
    cheap = {key: value + rng.normal(0, 0.3) for key, value in full.items() if key != 7}
    found = proxy_tau.tau(cheap, full)
    keys = [key for key in full if key in cheap]
    a, b = (np.array([scores[key] for key in keys]) for scores in (cheap, full))
    assert found["n"] == 19
    assert found["tau"] == pytest.approx(_pairs(a, b))
    better = b > np.median(b)
    assert found["tau_better_half"] == pytest.approx(_pairs(a[better], b[better]))
    assert found["tau_low"] < found["tau"] < found["tau_high"]
    assert proxy_tau.tau(full, full)["tau"] == 1.0
    assert math.isnan(proxy_tau.tau({}, full)["tau"])


def test_the_same_seed_draws_the_same_networks_and_all_fit(tools):
    *_, study = tools
    from tinynas.data import Dataset
    from tinynas.hardware import Target
    from tinynas.screening import screen

    digits = Dataset.digits()
    setup = study.Setup("digits", "nucleo_f401", 3, flash_bytes=6000)
    few, many = (study.draw(setup, digits, n) for n in (3, 6))
    assert [a.key for a in many[:3]] == [a.key for a in few]
    assert len({a.key for a in many}) == 6
    assert all(screen(a, Target.load("nucleo_f401")).flash_bytes <= 6000 for a in many)
    impossible = study.Setup("digits", "nucleo_f401", 3, flash_bytes=10)
    with pytest.raises(SystemExit, match="0 of 1"):
        study.draw(impossible, digits, 1)


def test_a_study_goes_on_where_it_stopped_and_refuses_another_s_scores(tools, tmp_path):
    proxy_tau, _, study = tools
    from tinynas.data import Dataset

    digits = Dataset.digits()
    setup = study.Setup("digits", "nucleo_f401", 0)
    nets = study.draw(setup, digits, 2)
    first = study.Study(tmp_path / "a.json", setup, digits)
    first.scores = {nets[0].key: {"params": {"score": 5.0, "cpu_s": 0.1}, "macs": {"error": "no"}}}
    first.write(nets, table=[{"tau": math.nan}])
    assert json.loads((tmp_path / "a.json").read_text())["table"] == [{"tau": None}]
    again = study.Study(tmp_path / "a.json", setup, digits)
    jobs = [study.Job(0, None, name, "footprint", (name,)) for name in ("params", "macs")]
    left = [(job.number, job.measure) for job in proxy_tau.missing(nets, jobs, again)]
    assert left == [(0, "macs"), (1, "params"), (1, "macs")]
    with pytest.raises(SystemExit, match="seed"):
        study.Study(tmp_path / "a.json", study.Setup("digits", "nucleo_f401", 1), digits)


def test_the_verdict_is_about_the_cheapest_that_ranks_as_well(tools):
    _, bench_train, _ = tools
    rows = [
        {"what": "trial", "tau": 0.8, "cpu_s": 2.0, "slower": 1.0},
        {"what": "short", "tau": 0.7, "cpu_s": 1.0, "slower": 0.5},
        {"what": "right", "tau": 0.76, "cpu_s": 7.0, "slower": 3.5},
        {"what": "long", "tau": 0.9, "cpu_s": 20.0, "slower": 10.0},
    ]
    assert bench_train.verdict(rows).startswith("3.5 times as many trials an hour as right")
    assert "No plain training comes within" in bench_train.verdict(rows[:2])


@pytest.mark.slow
def test_both_programs_run(tmp_path):
    def program(*arguments):
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout

    small = ("--n", 3, "--full", 0.1)
    scores, out = tmp_path / "scores.json", tmp_path / "out.json"
    told = program(TOOLS / "proxy_tau.py", *small, "--times", 0.1, "--out", scores)
    document = json.loads(scores.read_text())
    measures = {row["proxy"] for row in document["table"]}
    assert {"params", "macs", "naswot", "synflow", "gradient_norm", "jacobian_covariance", "train 1150x3"} <= measures
    assert all("score" in s for entry in document["architectures"] for s in entry["scores"].values())
    assert all(row["n"] == 3 for row in document["table"])
    assert "train 1150x3" in told
    told = program(
        TOOLS / "bench_train.py", *small, "--trial", 0.1, "--scores", scores, "--plain", "500x2", "--out", out
    )
    assert "plain fit, 500 samples x 2, batch 32" in told
    assert "full 1150x" in told
    document = json.loads(out.read_text())
    assert [row["n"] for row in document["table"]] == [3, 3, 3]
    told = program(TOOLS / "bench_train.py", "--workers", "1", "--trials", 2)
    assert "1 workers: 2 trials" in told
