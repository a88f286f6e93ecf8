"""From captures to IDX files: what is kept, what is dropped and counted, how it is split, and the round trip."""

import hashlib
import json

import numpy as np
import pytest

from tests.data.captures.traffic import CLIENT, conversation, pcap, udp, write
from tinynas.data import Dataset, read_idx
from tinynas.data.captures import CaptureOptions, find_captures, from_pcap
from tinynas.data.captures.split import split_classes
from tinynas.data.captures.spool import Spool
from tinynas.errors import DataError, UsageError


def talks(word, count, first=0):
    """TCP sessions that say `word` and a number, one after the other."""
    return [
        frame
        for number in range(first, first + count)
        for frame in conversation([b"%s %d" % (word, number), b"yes %d" % number], ("10.0.0.1", 20000 + number))
    ]


def queries(word, count):
    return [udp(("10.0.0.1", 30000 + number), ("10.0.0.9", 53), b"%s %d" % (word, number)) for number in range(count)]


@pytest.fixture
def captures(tmp_path):
    folder = tmp_path / "captures"
    folder.mkdir()
    write(folder / "web1.pcap", talks(b"web", 10))
    write(folder / "web2.pcap.gz", talks(b"web", 5, 100))
    write(folder / "web3.pcapng", talks(b"web", 3, 200))
    write(folder / "dns.pcap", queries(b"ask", 10))
    (folder / "labels.csv").write_text("capture,label\nweb*,web\ndns*,dns\n")
    return folder


def test_a_round_trip(captures, tmp_path):
    built = from_pcap([captures], captures / "labels.csv", tmp_path / "set", CaptureOptions(n_bytes=32))
    data = Dataset.load(tmp_path / "set")
    assert data.class_names == ("web", "dns")
    assert data.input_shape == (32, 1, 1)
    assert data.layout == "series"
    assert len(data.x) + len(data.x_test) == 28 == built.manifest["samples"]
    texts = {(255 * row.ravel()).round().astype(np.uint8).tobytes().rstrip(b"\0") for row in (*data.x, *data.x_test)}
    wanted = {b"web %dyes %d" % (n, n) for n in (*range(10), *range(100, 105), *range(200, 203))}
    assert texts == wanted | {b"ask %d" % n for n in range(10)}
    assert (tmp_path / "set" / "meta.json").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["captures", "set"]


def test_the_manifest_says_it_all(captures, tmp_path):
    broken = (captures / "dns.pcap").read_bytes()
    (captures / "dns.pcap").write_bytes(broken + pcap([b"\0" * 9])[24:] + b"cut")
    watched = []
    built = from_pcap([captures], captures / "labels.csv", tmp_path / "set", watch=watched.append)
    manifest = json.loads((tmp_path / "set" / "manifest.json").read_text())
    assert manifest == json.loads(json.dumps(built.manifest))
    assert watched == built.manifest["captures"]
    assert manifest["options"]["n_bytes"] == 784
    assert manifest["labels"]["sha256"] == hashlib.sha256((captures / "labels.csv").read_bytes()).hexdigest()
    dns, web1, *_ = manifest["captures"]
    assert dns["sha256"] == hashlib.sha256((captures / "dns.pcap").read_bytes()).hexdigest()
    assert (dns["end"], dns["frames"], dns["packets"], dns["sessions"]) == ("truncated", 11, 10, 10)
    assert dns["malformed"] == {"link header": 1}
    assert dns["labels_lines"] == {"3": 10}
    assert (web1["end"], web1["frames"], web1["sessions"], web1["after_the_end"]) == ("whole", 70, 10, 10)
    web, dns = (manifest["classes"][name] for name in ("web", "dns"))
    assert (dns["by"], dns["train"], dns["test"], dns["test_captures"]) == ("session", 8, 2, [])
    assert web["by"] == "capture"
    assert web["test_captures"]
    assert all("web" in name for name in web["test_captures"])
    images = read_idx(tmp_path / "set" / "test-images-idx3-ubyte")
    assert images.shape == (web["test"] + 2, 784, 1)


def test_the_same_again_gives_the_same_files(captures, tmp_path):
    for name in ("one", "two"):
        from_pcap([captures], captures / "labels.csv", tmp_path / name)
    for file in sorted((tmp_path / "one").iterdir()):
        assert file.read_bytes().replace(b"one", b"two") == (tmp_path / "two" / file.name).read_bytes()


def test_duplicates_are_dropped_and_those_that_disagree_altogether(tmp_path):
    write(tmp_path / "a.pcap", queries(b"same", 4) + queries(b"a", 3) + queries(b"a", 3))
    write(tmp_path / "b.pcap", queries(b"b", 3) + queries(b"same", 2))
    (tmp_path / "labels.csv").write_text("capture,label\na.pcap,A\nb.pcap,B\n")
    options = CaptureOptions(udp_timeout_s=0.5)  # frames are a second apart, so the same ports are another session
    built = from_pcap([tmp_path], tmp_path / "labels.csv", tmp_path / "set", options)
    assert built.manifest["duplicates"] == {"same_label": 3, "conflicting_labels": 4}
    assert built.manifest["samples"] == 2 + 3 + 3
    everything = np.concatenate([read_idx(p)[:, :, 0] for p in sorted((tmp_path / "set").glob("*images*"))])
    texts = sorted(row.tobytes().rstrip(b"\0") for row in everything)
    assert texts == [b"a 0", b"a 1", b"a 2", b"b 0", b"b 1", b"b 2", b"same 2", b"same 3"]


def test_sessions_of_one_capture_by_their_ports(tmp_path):
    write(tmp_path / "mixed.pcap", talks(b"web", 6) + queries(b"ask", 6) + [udp(CLIENT, ("10.9.9.9", 9), b"who")])
    (tmp_path / "labels.csv").write_text(
        "capture,label,protocol,src,src_port,dst,dst_port\n*,web,tcp,,80,,\n*,dns,udp,10.0.0.9,53,,\n*,ntp,udp,,123,,\n"
    )
    built = from_pcap([tmp_path / "mixed.pcap"], tmp_path / "labels.csv", tmp_path / "set")
    (about,) = built.manifest["captures"]
    assert about["unlabelled"] == 1
    assert about["labels_lines"] == {"2": 6, "3": 6}
    assert about["labels_lines_unused"] == 1
    assert built.manifest["classes_without_samples"] == ["ntp"]
    assert json.loads((tmp_path / "set" / "meta.json").read_text())["classes"] == ["web", "dns"]


def test_sessions_without_payload_are_dropped(tmp_path):
    write(tmp_path / "a.pcap", conversation([]) + talks(b"a", 2))
    write(tmp_path / "b.pcap", queries(b"b", 2))
    (tmp_path / "labels.csv").write_text("capture,label\na.pcap,A\nb.pcap,B\n")
    built = from_pcap([tmp_path], tmp_path / "labels.csv", tmp_path / "set")
    assert built.manifest["captures"][0]["empty"] == 1
    whole = from_pcap([tmp_path], tmp_path / "labels.csv", tmp_path / "all", CaptureOptions(layers="all"))
    assert whole.manifest["captures"][0]["empty"] == 0


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("capture,label\n*.pcap*,all\n", "too few classes (all), wanted two at least: of 28 sessions 0 have no label"),
        ("capture,label\ngone*,web\n", "no capture is called 'gone*'"),
    ],
)
def test_nothing_is_left_behind_by_an_error(captures, tmp_path, labels, said):
    (captures / "labels.csv").write_text(labels)
    with pytest.raises(DataError) as error:
        from_pcap([captures], captures / "labels.csv", tmp_path / "set")
    assert said in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["captures"]


def test_nor_by_ctrl_c(captures, tmp_path):
    def stop(about):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        from_pcap([captures], captures / "labels.csv", tmp_path / "set", watch=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["captures"]


def test_an_out_that_holds_something_stays_as_it_is(captures, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        from_pcap([captures], captures / "labels.csv", tmp_path / "set")
    (tmp_path / "set" / "mine.txt").unlink()
    from_pcap([captures], captures / "labels.csv", tmp_path / "set")
    with pytest.raises(DataError, match="cannot be written"):
        from_pcap([captures], captures / "labels.csv", tmp_path / "captures" / "dns.pcap" / "set")


def test_captures_are_found_once(captures, tmp_path):
    found = find_captures([captures, captures / "dns.pcap"])
    assert [path.name for path in found] == ["dns.pcap", "web1.pcap", "web2.pcap.gz", "web3.pcapng"]
    with pytest.raises(DataError, match="no such file"):
        find_captures([tmp_path / "gone"])
    with pytest.raises(DataError, match="neither pcap nor pcapng"):
        find_captures([captures / "labels.csv"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="No captures in"):
        find_captures([tmp_path / "empty"])


@pytest.mark.parametrize(
    "values",
    [
        {"n_bytes": 0},
        {"n_bytes": 2.5},
        {"n_bytes": True},
        {"layers": "l7"},
        {"mask": ("ip",)},
        {"layers": "all", "mask": ("tos",)},
        {"tcp_timeout_s": 0},
        {"udp_timeout_s": float("nan")},
        {"udp_timeout_s": "9"},
        {"test_fraction": 1.0},
        {"seed": -1},
        {"max_open": 0},
    ],
)
def test_options_that_make_no_sense(values):
    with pytest.raises(UsageError, match=r"\.$"):
        CaptureOptions(**values)


def test_whole_captures_go_to_the_test_part_as_near_to_the_share_as_can_be():
    sizes = np.array([40, 30, 12, 10, 8])
    captures, labels = np.repeat(np.arange(5), sizes), np.zeros(100, np.int64)
    for seed in range(20):
        is_test, (split,) = split_classes(labels, captures, 0.2, seed)
        assert set(np.unique(captures[is_test])) == set(split.test_captures)
        assert not set(captures[is_test]) & set(captures[~is_test])
        assert 8 <= is_test.sum() == split.test <= 30
    assert len({split_classes(labels, captures, 0.2, seed)[1][0].test_captures for seed in range(20)}) > 1


@pytest.mark.parametrize(("count", "test"), [(1, 0), (2, 1), (10, 2), (99, 20)])
def test_sessions_of_one_capture_are_drawn(count, test):
    is_test, (split,) = split_classes(np.zeros(count, np.int64), np.zeros(count, np.int64), 0.2, 0)
    assert (split.by, split.train, split.test) == ("session", count - test, test)
    assert is_test.sum() == test


def test_a_spool_is_read_back_in_blocks(tmp_path):
    spool = Spool(tmp_path / "spool", 4)
    for number in range(9000):
        spool.add(number.to_bytes(3, "big"), number % 3, number // 1000)
    spool.close()
    rows, labels, captures = spool.kept()
    blocks = list(spool.blocks(rows))
    assert max(map(len, blocks)) < 9000
    back = np.concatenate(blocks)
    assert (back[:, :3] @ np.array([65536, 256, 1]) == np.arange(9000)).all()
    assert (back[:, 3] == 0).all()
    assert (labels == np.arange(9000) % 3).all()
    assert (captures == np.arange(9000) // 1000).all()
