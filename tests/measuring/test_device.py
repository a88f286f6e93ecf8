"""The commands on a serial line, and boards that answer wrongly: one sentence each, and no wait without an end."""

import time
from collections.abc import Callable

import numpy as np
import pytest

from tests.measuring import fake
from tinynas.errors import BoardError, UsageError
from tinynas.hardware import Target
from tinynas.measuring import Device, Line, Subject, measure


def ask(say: fake.Say, do: Callable[[Device], object] = Device.connect, timeout_s: float = 0.4) -> object:
    """What `do` gives of a board that says so."""
    with fake.board(say) as port, Line(port) as line:
        return do(Device(line, timeout_s, timeout_s))


def but(word: str, answer: str | None) -> fake.Say:
    """An honest board but for its answer to one command."""
    return lambda command: answer if command.split()[0] == word else fake.honest(command)


def sentence(say: fake.Say, do: Callable[[Device], object] = Device.connect) -> str:
    start = time.monotonic()
    with pytest.raises(BoardError) as error:
        ask(say, do)
    assert time.monotonic() - start < 30
    text = str(error.value)
    assert "\n" not in text
    assert text.count(". ") == 0
    assert text[-1] in ".?"
    return text


def test_the_answers_of_an_honest_board() -> None:
    def all_of_it(device: Device) -> tuple[object, ...]:
        profile = device.connect()
        device.load(np.array([1, -2, 127, -128], np.int8))
        answer = device.infer(3, 1)
        return profile, answer.output.tolist(), answer.spent_us, device.operators(2), device.self_test()

    profile, output, spent, operators, mismatches = ask(fake.honest, all_of_it)
    assert (profile.model, profile.runtime, profile.optimize) == (fake.SHA256, "engine", "-Os")
    assert (profile.input_bytes, profile.output_bytes, profile.n_operators) == (4, 2, 2)
    assert (output, spent, operators, mismatches) == ([-128, 127], 250, [("dense", 200.0), ("softmax", 50.0)], 0)


def test_a_refusal_leaves_no_answer_behind() -> None:
    """What follows e-[...] is read too: the next answer is the next command's."""
    assert ask(fake.honest, lambda device: (device.features(), device.self_test())) == (None, 0)


def test_what_a_board_said_before_is_no_answer() -> None:
    """A stale answer is passed over, however late it comes."""
    stale = "m-lap-us-7\r\nm-ready\r\nboot: hello\r\n"
    say = lambda command: (stale if command.startswith("sync") else "") + fake.honest(command)  # noqa: E731
    assert ask(say).model == fake.SHA256


def test_silence_has_an_end() -> None:
    assert "gave no answer in 3 tries of 0.4 s" in sentence(lambda command: "")
    said = sentence(but("test", "m-tes"), Device.self_test)
    assert "did not answer 'test' within 0.4 s" in said


def test_garbage_is_told_as_such() -> None:
    assert "'\\\\xf8\\\\x80\\\\xff'" in sentence(lambda command: "\xf8\x80\xff\r\n")
    assert "without the end of a line" in sentence(lambda command: "\xf8" * 9000)
    assert "'hello'" in sentence(but("test", "hello\r\nm-ready\r\n"), Device.self_test)
    assert "no number after m-test-" in sentence(but("test", "m-test-many\r\nm-ready\r\n"), Device.self_test)
    assert "no outputs but ['m-results-[300]']" in sentence(
        but("infer", "m-results-[300]\r\nm-ready\r\n"), Device.infer
    )
    assert "no list of operators" in sentence(
        but("ops", "m-op-1,dense,3\r\nm-ready\r\n"), lambda device: device.operators(1)
    )
    assert "a profile without 'model'" in sentence(but("profile", "m-input-4\r\nm-ready\r\n"))


def test_another_firmware_is_named() -> None:
    said = sentence(but("name", "m-name-dut-[someone]\r\nm-ready\r\n"))
    assert said.startswith("/dev/")
    assert "calls itself [someone], and not [tinynas]" in said


@pytest.mark.parametrize("word", ["profile", "test", "infer"])
def test_a_reset_in_the_middle_is_told(word: str) -> None:
    do = {"profile": Device.connect, "test": Device.self_test, "infer": Device.infer}[word]
    said = sentence(but(word, "m-le\r\nm-init-done\r\nm-ready\r\n" if word != "infer" else "m-init-done\r\n"), do)
    assert f"the board started anew while it was to answer '{word}'" in said


def test_a_line_that_ends_is_told() -> None:
    assert "ended" in sentence(but("test", None), Device.self_test)


def test_input_that_was_damaged_on_the_way_is_told() -> None:
    sample = np.zeros(4, np.int8)
    lost = but("db", "m-expecting-4\r\nm-ready\r\n")
    assert "did not arrive as they were sent" in sentence(lost, lambda device: device.load(sample))
    wrong = but("db", "m-expecting-4\r\nm-load-done\r\nm-hash-00000000\r\nm-ready\r\n")
    assert "did not arrive as they were sent" in sentence(wrong, lambda device: device.load(sample))


def test_a_clock_is_held_against_this_machines() -> None:
    def clock(rate: float) -> fake.Say:
        def say(command: str) -> str | None:
            now = int(time.monotonic() * 1e6 * rate) % 2**32
            return f"m-lap-us-{now}\r\nm-ready\r\n" if command == "timestamp" else fake.honest(command)

        return say

    def error(device: Device) -> float:
        return device.clock_error(0.2)

    assert ask(clock(1.0), error) == 0
    assert ask(clock(2.0), error) > 0.5
    assert ask(clock(0.5), error) < -0.3


def test_nothing_is_measured_by_a_wrong_clock_or_of_another_model() -> None:
    """A clock that stands still, such as a cycle counter that was not started."""
    samples, target = np.zeros((1, 4), np.int8), Target.load("nucleo_f401")
    right = Subject("a run", b"", {fake.SHA256: b""}, samples, None, (), target)
    said = sentence(fake.honest, lambda device: measure(device, right, target))
    assert said.startswith("The board's clock runs slow by")
    other = Subject("a run", b"", {"cd" * 32: b""}, samples, None, (), target)
    said = sentence(fake.honest, lambda device: measure(device, other, target))
    assert "another model than that of a run: its file's SHA-256 begins with abababababab, wanted cdcdcdcdcdcd" in said
    longer = Subject("a run", b"", {fake.SHA256: b""}, np.zeros((1, 5), np.int8), None, (), target)
    assert "takes 4 bytes of input, the model of a run takes 5" in sentence(
        fake.honest, lambda device: measure(device, longer, target)
    )


def test_a_port_that_is_none(tmp_path) -> None:
    with pytest.raises(BoardError, match=r"cannot be opened: No such file or directory\. ls /dev/ttyACM"):
        Line(str(tmp_path / "ttyACM9"))
    (tmp_path / "file").write_text("")
    with pytest.raises(BoardError, match="is no serial port"):
        Line(str(tmp_path / "file"))
    with pytest.raises(UsageError, match="--baud is 12345; wanted a usual speed"):
        Line("/dev/null", 12345)
