"""Lists the licence of every package in requirements.lock, by what the installed packages say of themselves.

    python tools/licences.py

One that says nothing, or whose licence is not in the list of those that may be used beside Apache-2.0 without further
ado, is named at the end: exit code 1.
"""

import re
import sys
from importlib import metadata
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements.lock"
# What a licence's name begins with, once it is in small letters: permissive, or the weak copyleft of a library.
_FREE = (
    "apache",
    "bsd",
    "mit",
    "isc",
    "psf",
    "python",
    "0bsd",
    "zlib",
    "unlicense",
    "hpnd",
    "mpl",
    "mozilla",
    "3-clause bsd",
    "cc0",
    "cnri",
)
# What says only within its text which licence it is, or says nothing: by hand, with the place.
_BY_HAND = {
    "namex": "Apache-2.0 (LICENSE in its repository)",
    "tflite-micro": "Apache-2.0 (LICENSE in its repository)",
}


def locked(text: str) -> list[str]:
    """Return the names of the packages that a lock file pins, each once."""
    return sorted(set(re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)), key=str.lower)


def licence(name: str) -> str | None:
    """Return what the installed package `name` says of its licence, "" when nothing; None when it is not installed."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None
    classified = [
        each.rpartition(" :: ")[2] for each in about.get_all("Classifier") or [] if each.startswith("License ::")
    ]
    said = [about.get("License-Expression"), *classified, (about.get("License") or "").strip().split("\n")[0]]
    return next(
        (each for each in said if each and each not in ("UNKNOWN", "OSI Approved", "DFSG approved")), ""
    ) or _BY_HAND.get(name, "")


def is_free(said: str) -> bool:
    """Whether all that a licence's text names may be used: "MIT AND (BSD-3-Clause OR GPL-3.0)" may, by its choice."""
    ands = re.split(r"\s+and\s+|;|,", said.lower().replace("(", " ").replace(")", " ").replace("the ", ""))
    return all(any(each.strip().startswith(_FREE) for each in re.split(r"\s+or\s+|/", part)) for part in ands)


def main() -> int:
    """Print the list; return 1 when one is not known, or not among those that may be used."""
    doubtful = []
    for name in locked(LOCK.read_text()):
        said = licence(name)
        shown = "not installed on this platform" if said is None else said or "says nothing"
        print(f"{name:40} {shown[:78]}")
        if said is not None and not is_free(said):
            doubtful.append(name)
    print(f"To be looked at: {', '.join(doubtful)}" if doubtful else "All may be used beside Apache-2.0.")
    return 1 if doubtful else 0


if __name__ == "__main__":
    sys.exit(main())
