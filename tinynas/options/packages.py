"""The packages that firmware can be written as."""

from typing import Literal, get_args

PackageKind = Literal["arduino", "platformio", "esp-idf", "zephyr", "cmsis-pack", "cmake"]
PACKAGE_KINDS: tuple[PackageKind, ...] = get_args(PackageKind)
