"""From scikit-learn's digits to a folder of firmware for a Nucleo-F401RE."""

import argparse

from tinynas import Dataset, Target, convert, search

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--trials", type=int, default=12, help="how many networks are trained (default: 12)")
parser.add_argument("--out", default="runs/digits_example", help="the run folder, which must be new")
options = parser.parse_args()

data = Dataset.digits()
board = Target.load("nucleo_f401")
result = search(data, board, max_trials=options.trials, out=options.out)
print(f"{result.architecture}: {result.accuracy:.2%} on the test set")
print(f"file {result.footprint.flash_bytes:,} B, arena {result.footprint.arena_bytes:,} B")
for sentence in result.warnings:
    print(f"Warning: {sentence}")

converted = convert(result)  # runs the model in the real TFLM first
print(f"{len(converted.files)} files in {converted.files[0].parent}")
