"""Arrays of one's own, a board of one's own: motions of several people, told apart by an accelerometer."""

import argparse

import numpy as np

from tinynas import Dataset, Limits, Target, search

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--trials", type=int, default=12, help="how many networks are trained (default: 12)")
parser.add_argument("--out", default="runs/sensor_example", help="the run folder, which must be new")
options = parser.parse_args()

# In place of a recording: 12 people, each doing 3 motions 20 times, in windows of 64 steps with 3 channels.
rng = np.random.default_rng(0)
people, motions, times = np.arange(12), np.arange(3), np.arange(20)
person, motion, _ = (axis.ravel() for axis in np.meshgrid(people, motions, times, indexing="ij"))
step = np.arange(64)[None, :, None]
rate = (0.1 + 0.1 * motion + 0.004 * person)[:, None, None]  # faster from motion to motion, and a little by person
phase = rng.uniform(0, 2 * np.pi, (len(motion), 1, 3))
samples = np.sin(rate * step + phase) + rng.normal(0, 0.3, (len(motion), 64, 3))

# `groups` keeps all windows of a person on one side of every split.
data = Dataset.from_arrays(
    samples, motion, name="motions", layout="series", groups=person, class_names=("stand", "walk", "run")
)
print(data)

board = Target(
    name="my_sensor",
    mcu="STM32L431CC",
    core="Cortex-M4F",
    clock_hz=80_000_000,
    flash_bytes=256 * 1024,
    ram_bytes=64 * 1024,
    reserved_ram_bytes=16 * 1024,  # what the rest of the firmware keeps
    kernels="cmsis_nn",
)
limits = Limits(flash_bytes=32 * 1024, ram_bytes=16 * 1024, latency_ms=50)
result = search(data, board, limits=limits, max_trials=options.trials, out=options.out)
print(result)

# The trials as rows: pandas.DataFrame(result.rows()) is the same as a table.
trained = [row for row in result.rows() if row["accuracy_int8"] is not None]
for row in sorted(trained, key=lambda row: -row["accuracy_int8"])[:5]:
    print(f"{row['accuracy_int8']:.2%}  {row['arena_bytes']:>7,} B  {row['flash_bytes']:>7,} B  {row['architecture']}")
result.plot_front(result.folder / "front.png")
print(f"The Pareto front is in {result.folder / 'front.png'}")
