"""`tinynas data from-pcap` as a person and as a script meet it."""

import json

import pytest

from tests.data.captures.traffic import conversation, pcap, udp, write
from tinynas import Dataset, search
from tinynas.cli import main
from tinynas.data.captures import from_pcap


@pytest.fixture
def call(capsys):
    """Run the command line in this process: exit code, standard output, standard error."""

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return run


@pytest.fixture
def captures(tmp_path):
    folder = tmp_path / "captures"
    folder.mkdir()
    for number in range(3):
        frames = [
            frame
            for talk in range(number, 30, 3)
            for frame in conversation([b"GET /%d" % talk, b"200 %d" % talk], ("10.0.0.1", 20000 + talk))
        ]
        write(folder / f"web{number}.pcap", frames)
    queries = [udp(("10.0.0.1", 30000 + number), ("10.0.0.9", 53), b"\1\0ask%d" % number) for number in range(30)]
    write(folder / "dns.pcapng", [*queries, b"\0" * 9])
    (folder / "labels.csv").write_text("capture,label\nweb*,web\ndns*,dns\n")
    return folder


def test_it_says_what_it_read_and_what_it_wrote(call, captures, tmp_path):
    out_folder = tmp_path / "set"
    code, out, err = call("data", "from-pcap", captures, "--labels", captures / "labels.csv", "--out", out_folder)
    assert code == 0
    assert "dns.pcapng: 30 packets, 30 sessions, 1 malformed" in err
    assert "Dropped: 0 duplicates" in out
    assert "whole captures, 1" in out
    assert f"tinynas search --target NAME --data {out_folder}" in out
    assert Dataset.load(out_folder).input_shape == (784, 1, 1)


def test_json_is_the_manifest(call, captures, tmp_path):
    options = ["--labels", captures / "labels.csv", "--out", tmp_path / "set", "--json"]
    chosen = ["--bytes", 64, "--layers", "all", "--mask", "mac, ip,ports", "--tcp-timeout", 9, "--seed", 4]
    code, out, _ = call("data", "from-pcap", captures / "web0.pcap", captures, *options, *chosen)
    assert code == 0
    manifest = json.loads(out)
    assert manifest == json.loads((tmp_path / "set" / "manifest.json").read_text())
    assert len(manifest["captures"]) == 4
    assert manifest["options"]["mask"] == ["mac", "ip", "ports"]
    assert (manifest["options"]["n_bytes"], manifest["options"]["tcp_timeout_s"]) == (64, 9)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--bytes", "0"], 2, "--bytes is 0"),
        (["--layers", "l7"], 2, "--layers is 'l7'"),
        (["--mask", "ip"], 2, "--mask is for headers"),
        (["--layers", "all", "--mask", "ttl"], 2, "--mask holds 'ttl'"),
        (["--tcp-timeout", "0"], 2, "--tcp-timeout is 0"),
        (["--udp-timeout", "-1"], 2, "--udp-timeout is -1"),
        (["--test-fraction", "2"], 2, "--test-fraction is 2"),
        (["--labels", "gone.csv"], 1, "gone.csv"),
        (["--out", "captures"], 2, "not empty"),
        (["--out", "x" * 300], 1, "too long"),
    ],
)
def test_what_is_wrong_is_one_sentence(call, captures, tmp_path, monkeypatch, options, code, said):
    monkeypatch.chdir(tmp_path)
    given = {"--labels": "captures/labels.csv", "--out": "set", **dict(zip(options[::2], options[1::2], strict=True))}
    found, _, err = call("data", "from-pcap", "captures", *(part for pair in given.items() for part in pair))
    assert found == code
    assert err.splitlines()[-1].startswith("tinynas: ")
    assert said in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["captures"]


def test_no_mask_at_all(call, captures, tmp_path):
    options = ["--labels", captures / "labels.csv", "--out", tmp_path / "set", "--layers", "ip", "--mask", "none"]
    code, out, _ = call("data", "from-pcap", captures, *options, "--json")
    assert code == 0
    assert json.loads(out)["options"]["mask"] == []


def test_what_is_no_capture(call, tmp_path):
    (tmp_path / "labels.csv").write_text("capture,label\n*,x\n")
    (tmp_path / "x.pcap").write_text("hello, world")
    (tmp_path / "empty.pcap").write_bytes(pcap([]))
    code, _, err = call("data", "from-pcap", tmp_path, "--labels", tmp_path / "labels.csv", "--out", tmp_path / "set")
    assert code == 1
    assert "x.pcap: is neither pcap nor pcapng" in err


@pytest.mark.slow
def test_a_search_on_sessions(captures, tmp_path):
    from_pcap([captures], captures / "labels.csv", tmp_path / "set")
    result = search(
        Dataset.load(tmp_path / "set"),
        "nucleo_f401",
        out=tmp_path / "run",
        workers=1,
        max_trials=2,
        n_children=2,
        n_folds=2,
        n_finalists=1,
        final_epochs=3,
    )
    assert result.best is not None
    assert result.summary["best"]["test"]["int8"]["accuracy"] > 0.5
