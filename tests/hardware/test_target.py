"""Boards: the shipped profiles are true to what is known of them, and each wrong profile gets its sentence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tinynas.errors import TargetError
from tinynas.hardware import Limits, Target

BOARD = {
    "name": "mine",
    "mcu": "STM32F407VG",
    "core": "Cortex-M4F",
    "clock_hz": 168_000_000,
    "flash_bytes": 1_048_576,
    "ram_bytes": 131_072,
    "kernels": "cmsis_nn",
}

# Flash, RAM, clock and kernels by hand from the data sheets, apart from the profiles.
KNOWN = {
    "nucleo_f401": (512, 96, 84, "cmsis_nn"),
    "nucleo_f411": (512, 128, 100, "cmsis_nn"),
    "nucleo_f446": (512, 128, 180, "cmsis_nn"),
    "nucleo_l432kc": (256, 64, 80, "cmsis_nn"),
    "nucleo_l476": (1024, 96, 80, "cmsis_nn"),
    "nucleo_l4r5zi": (2048, 640, 120, "cmsis_nn"),
    "disco_f746": (1024, 320, 216, "cmsis_nn"),
    "nucleo_h743zi": (2048, 512, 480, "cmsis_nn"),
    "nucleo_u575": (2048, 768, 160, "cmsis_nn"),
    "nano33_ble_sense": (1024, 256, 64, "cmsis_nn"),
    "nrf5340_dk": (1024, 512, 128, "cmsis_nn"),
    "rpi_pico": (2048, 256, 133, "cmsis_nn_no_dsp"),
    "rpi_pico2": (4096, 512, 150, "cmsis_nn"),
    "arduino_zero": (256, 32, 48, "cmsis_nn_no_dsp"),
    "esp32_devkitc": (4096, 160, 240, "esp_nn"),
    "esp32s3_devkitc": (8192, 333.75, 240, "esp_nn"),
    "bluepill_f103": (64, 20, 72, "cmsis_nn_no_dsp"),
    "nucleo_g071": (128, 36, 64, "cmsis_nn_no_dsp"),
}


@pytest.mark.parametrize("name", KNOWN)
def test_a_shipped_board_is_what_its_data_sheet_says(name):
    target = Target.load(name)
    flash, ram, clock, kernels = KNOWN[name]
    assert (target.flash_bytes, target.ram_bytes) == (flash * 1024, ram * 1024)
    assert (target.clock_hz, target.kernels) == (clock * 1_000_000, kernels)


def test_every_profile_loads_and_says_where_its_figures_come_from():
    targets = Target.all()
    assert len(targets) >= 18
    assert Target.names() == tuple(target.name for target in targets) == tuple(sorted(Target.names()))
    for target in targets:
        assert target.ram_bank, target.name
        assert target.source, target.name
        assert (target.kernels == "esp_nn") == target.core.startswith("Xtensa")


def test_limits_are_what_the_reserve_leaves():
    target = Target(**BOARD, reserved_flash_bytes=48_576, reserved_ram_bytes=31_072)
    assert target.limits == Limits(
        flash_bytes=1_000_000, ram_bytes=100_000, board_flash_bytes=1_000_000, board_ram_bytes=100_000
    )
    assert Target.load("nucleo_f401").limits.ram_bytes == 98_304


@pytest.mark.parametrize(
    ("core", "kernels", "library", "exact"),
    [
        ("Cortex-M4F", "cmsis_nn", "cmsis_nn", True),
        ("Cortex-M0+", "cmsis_nn_no_dsp", "cmsis_nn_no_dsp", True),
        ("Cortex-M7", "reference", "reference", True),
        ("Cortex-M55", "cmsis_nn_mve", "cmsis_nn", False),
        ("Xtensa LX7", "esp_nn", "cmsis_nn", False),
    ],
)
def test_kernels_name_the_library_to_compute_with(core, kernels, library, exact):
    target = Target(**{**BOARD, "core": core, "kernels": kernels})
    assert (target.kernel_library, target.arena_is_exact) == (library, exact)
    assert target.arena_status == ("exact" if exact else "estimated")


WRONG = [
    ({"flash_kb": 512}, "unknown key 'flash_kb' (known: active_power_mw, clock_hz, core, flash_bytes,"),
    ({"flash_kb": 512, "flash_bytes": None}, "unknown key 'flash_kb'"),
    ({"flash_bytes": "512K"}, "flash_bytes is '512K'; wanted a whole number of bytes, 1 to 2**40"),
    ({"flash_bytes": "524288"}, "flash_bytes is '524288'; wanted a whole number of bytes"),
    ({"ram_bytes": 96.5}, "ram_bytes is 96.5; wanted a whole number of bytes, 1 to 2**40"),
    ({"ram_bytes": True}, "ram_bytes is True; wanted a whole number"),
    ({"ram_bytes": -1}, "ram_bytes is -1; wanted a whole number of bytes, 1 to 2**40"),
    ({"ram_bytes": 0}, "ram_bytes is 0; wanted"),
    ({"clock_hz": 0}, "clock_hz is 0; wanted the core's clock in Hz"),
    ({"clock_hz": 64}, "clock_hz is 64; wanted the core's clock in Hz, a whole number, 100_000 to 2**40 (64 MHz is"),
    ({"clock_hz": 99_999}, "clock_hz is 99999; wanted the core's clock in Hz"),
    ({"reserved_ram_bytes": -5}, "reserved_ram_bytes is -5; wanted a whole number of bytes, 0 to 2**40"),
    ({"reserved_ram_bytes": 131_072}, "reserved_ram_bytes is 131072, but ram_bytes is only 131072"),
    ({"reserved_flash_bytes": 2_000_000}, "reserved_flash_bytes is 2000000, but flash_bytes is only 1048576"),
    ({"kernels": "cmsis"}, "kernels is 'cmsis'; wanted one of cmsis_nn, cmsis_nn_no_dsp, cmsis_nn_mve,"),
    ({"core": "Cortex-M3"}, "kernels is 'cmsis_nn', which a Cortex-M3 cannot run; wanted cmsis_nn_no_dsp or reference"),
    ({"core": "ARM7"}, "core is 'ARM7'; wanted one of Cortex-M0+,"),
    ({"name": ""}, "name is ''; wanted the profile's name"),
    ({"mcu": 7}, "mcu is 7; wanted the microcontroller's part number"),
    ({"ram_bank": None}, "ram_bank is None; wanted a text"),
    ({"active_power_mw": -3}, "active_power_mw is -3; wanted the power while the core computes in mW"),
    ({"active_power_mw": float("nan")}, "active_power_mw is nan; wanted the power"),
    ({"power_scope": "desk"}, "power_scope is 'desk'; wanted board or chip"),
]


def _one_sentence(error: pytest.ExceptionInfo) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(("change", "sentence"), WRONG)
def test_a_wrong_value_gets_one_sentence(change, sentence):
    values = {**BOARD, **change}
    with pytest.raises(TargetError) as error:
        Target(**values)
    assert _one_sentence(error).startswith(f"Target {values['name']!r}: {sentence}")


@pytest.mark.parametrize(("change", "sentence"), WRONG)
def test_a_wrong_file_gets_the_same_sentence_and_its_path(tmp_path, change, sentence):
    path = tmp_path / "foo.json"
    path.write_text(json.dumps({**BOARD, **change}))
    with pytest.raises(TargetError) as error:
        Target.load(path)
    assert _one_sentence(error).startswith(f"{path}: {sentence}")


def test_all_that_is_wrong_is_said_at_once(tmp_path):
    path = tmp_path / "foo.json"
    path.write_text(json.dumps({"name": "", "core": "Cortex-M4F", "clock_hz": 64, "flash_kb": 512, "kernels": "cmsis"}))
    with pytest.raises(TargetError) as error:
        Target.load(path)
    said = _one_sentence(error).split("; ")
    assert said[0].startswith(f"{path}: unknown key 'flash_kb' (known: ")
    for part in ("name is ''", "clock_hz is 64", "kernels is 'cmsis'"):
        assert part in said
    for key in ("mcu", "flash_bytes", "ram_bytes"):
        assert f"the key '{key}' is missing" in said


@pytest.mark.parametrize("key", BOARD)
def test_a_missing_key_is_named(tmp_path, key):
    path = tmp_path / "foo.json"
    path.write_text(json.dumps({k: v for k, v in BOARD.items() if k != key}))
    with pytest.raises(TargetError) as error:
        Target.load(str(path))
    assert f"foo.json: the key '{key}' is missing; wanted " in _one_sentence(error)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "the board's profile is not JSON: Expecting property name"),
        ("[1]", "the board's profile is a JSON list; wanted an object of keys"),
        ('{"name": "a", "name": "b"}', "the board's profile is not JSON: the key 'name' is there twice"),
        ("[" * 200_000, "the board's profile is not JSON"),
    ],
)
def test_a_file_that_is_no_profile(tmp_path, text, sentence):
    path = tmp_path / "foo.json"
    path.write_text(text)
    with pytest.raises(TargetError) as error:
        Target.load(path)
    assert _one_sentence(error).startswith(f"{path}: {sentence}")


def test_a_file_of_other_bytes_or_none_at_all(tmp_path):
    path = tmp_path / "foo.json"
    with pytest.raises(TargetError, match="cannot be read: No such file or directory"):
        Target.load(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TargetError, match="not JSON"):
        Target.load(path)
    with pytest.raises(TargetError, match="cannot be read"):
        Target.load(f"{tmp_path}/")


def test_a_board_of_ones_own_loads_from_its_path(tmp_path, monkeypatch):
    (tmp_path / "board.json").write_text(json.dumps(BOARD))
    assert Target.load(tmp_path / "board.json") == Target(**BOARD)
    monkeypatch.chdir(tmp_path)
    assert Target.load("board.json") == Target.load("./board.json") == Target(**BOARD)


def test_an_unknown_name_names_the_nearest():
    with pytest.raises(TargetError, match=r"no board is called 'nucleo_f410' \(the nearest are .*nucleo_f401"):
        Target.load("nucleo_f410")
    with pytest.raises(TargetError, match=r"no board is called 'zzz' \(known: arduino_zero, "):
        Target.load("zzz")


def test_a_target_is_a_value():
    target = Target(**BOARD)
    assert target == Target(**BOARD)
    assert hash(target) == hash(Target(**BOARD))
    assert Target(**target.model_dump()) == target
    assert Target.model_validate_json(target.model_dump_json()) == target
    with pytest.raises(Exception, match="frozen"):
        target.ram_bytes = 1


def test_limits_and_footprint_come_without_pydantic():
    code = "import sys; from tinynas.hardware import Footprint, Limits; print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_profiles_lie_in_the_folder_that_the_wheel_ships():
    folder = Path(__file__).parents[2] / "targets"
    assert {path.stem for path in folder.glob("*.json")} == set(Target.names())
    assert all(json.loads(path.read_text())["name"] == path.stem for path in folder.glob("*.json"))
