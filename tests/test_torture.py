"""The short forms of tools/torture.py and tools/fuzz.py: some kills, some full disks, some damaged files."""

import re
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).parents[1] / "tools"


def _ran(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=TOOLS.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_killed_or_on_a_full_disk_a_search_ends_as_if_nothing_had_been():
    said = _ran("tools/torture.py", "--quick", "--kills", "5", "--fills", "5", "--seed", "3")
    assert re.search(r"killed, in one process .* 5 of +5\n", said)
    assert re.search(r"killed while it begins .* 15 of +15\n", said)
    assert re.search(r"disk full, a write refused .* 5 of +5\n", said)


def test_damaged_files_are_answers_or_errors_of_tinynas(tmp_path):
    said = _ran(
        "tools/fuzz.py",
        "300",
        "--only",
        "csv,npz,npy,board,pcap,summary,settings,weights,best",
        "--keep",
        str(tmp_path),
    )
    assert re.search(r"^300 inputs, 0 faults", said, re.MULTILINE)
    assert list(tmp_path.iterdir()) == []
