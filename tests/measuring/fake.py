"""A board that there is not: what a test says it answers, at the other end of a pseudo-terminal."""

import os
import pty
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Say = Callable[[str], str | None]
SHA256 = "ab" * 32
HONEST = {
    "name": "m-name-dut-[tinynas]",
    "profile": f"m-profile-[tinynas]\r\nm-model-[{SHA256}]\r\nm-runtime-[engine]\r\nm-optimize-[-Os]\r\n"
    "m-input-4\r\nm-output-2\r\nm-operators-2",
    "timestamp": "m-lap-us-1000",
    "test": "m-test-0",
    "infer": "m-infer-done\r\nm-spent-us-250\r\nm-results-[-128,127]",
    "ops": "m-op-0,dense,400\r\nm-op-1,softmax,100\r\nm-spent-us-500",
}


def honest(command: str) -> str | None:
    """What a board of our firmware answers, m-ready with it."""
    word, *rest = command.split()
    if word == "sync":
        return f"m-sync-{rest[0]}\r\nm-ready\r\n"
    if word == "db":
        done = f"m-expecting-{rest[1]}" if rest[0] == "load" else "m-load-done\r\nm-hash-" + fnv(bytes.fromhex(rest[0]))
        return f"{done}\r\nm-ready\r\n"
    return f"{HONEST.get(word, 'e-[no such command]')}\r\nm-ready\r\n"


def fnv(data: bytes) -> str:
    found = 0x811C9DC5
    for byte in data:
        found = ((found ^ byte) * 0x01000193) & 0xFFFFFFFF
    return f"{found:08x}"


@contextmanager
def board(say: Say = honest) -> Iterator[str]:
    """The port of a board that says so to each command; None ends the line."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    thread = threading.Thread(target=_answer, args=(ours, say), daemon=True)
    thread.start()
    try:
        yield os.ttyname(theirs)
    finally:
        os.close(theirs)
        thread.join(5)


def _answer(ours: int, say: Say) -> None:
    held = b""
    try:
        while data := os.read(ours, 1024):
            held += data
            while b"%" in held:
                command, _, held = held.partition(b"%")
                if command:
                    answer = say(command.decode())
                    if answer is None:
                        return
                    os.write(ours, answer.encode("latin-1"))
    except OSError:  # nobody has the line open
        return
    finally:
        os.close(ours)
