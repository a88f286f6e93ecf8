"""Bench the hardware check against the converter: agreement, CPU a child, verdicts a second, memory.

    python tools/bench_screen.py [--children 300] [--verdicts 100000] [--seconds 10] [--target NAME]

All figures come from one run on one machine, the CPU figures from the same children: `screen` and `lower` first,
without TensorFlow in the process, then TensorFlow on one thread. "naive" is what a search without them does for each
child: TFLiteConverter.from_keras_model with the default dynamic batch, then keras-flops, on a Keras model that is
built already. "batch 1" is the route that makes the file that ships (tinynas/training/convert.py).
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tinynas.architecture import Architecture, SearchSpace, mutate
from tinynas.hardware import KERNEL_LIBRARIES, Footprint, Target
from tinynas.screening import lower, screen
from tinynas.tflite import analyze, plan_arena, read

SHAPES = ((28, 28, 1), (32, 32, 3), (784, 1, 1), (100, 1, 6), (40, 1, 1))


def draw(rng: np.random.Generator, number: int) -> Architecture:
    """A random network, each shape in turn; every second one is mutated up to the full depth."""
    space = SearchSpace.for_input(SHAPES[number % len(SHAPES)], int(rng.integers(2, 13)))
    architecture = space.random_architecture(rng)
    for _ in range(int(rng.integers(30)) if number % 2 else 0):
        architecture = mutate(architecture, space, rng)
    return architecture


def timed(function: Callable[[Any], Any], children: list[Any]) -> tuple[list[Any], list[float]]:
    """What `function` returns for each child, and the CPU milliseconds that it took, of all threads."""
    results, times = [], []
    for child in children:
        start = time.process_time()
        results.append(function(child))
        times.append(1000 * (time.process_time() - start))
    return results, times


def naive(model: Any, samples: np.ndarray) -> None:
    """Convert with a dynamic batch and count FLOPs: the two things that `screen` replaces."""
    from tinynas.training.flops import count_flops
    from tinynas.training.keras import tf
    from tinynas.training.quiet import quiet

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample[None]] for sample in samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    with quiet():
        converter.convert()
    count_flops(model)


def differences(child: Architecture, target: Target, footprint: Footprint, data: bytes, flops: int) -> list[str]:
    """The figures in which the screen and the converted file disagree."""
    real = replace(analyze(data, target).footprint, flops=flops)
    wrong = [name for name, value in real.to_dict().items() if value != footprint.to_dict()[name]]
    graph, lowered = read(data), read(lower(child))
    wrong += [f"arena, {k}" for k in KERNEL_LIBRARIES if plan_arena(graph, k) != plan_arena(lowered, k)]
    constants = [tensor.data for tensor in graph.tensors if tensor.data]
    if wrong == ["flash"] and len(set(constants)) < len(constants):
        return [f"merged: {len(constants) - len(set(constants))} equal constants"]
    return wrong


def agreement(n: int, target: Target) -> None:
    """Print the CPU a child and how many of `n` children agree in every figure."""
    rng = np.random.default_rng(1)
    children = [draw(rng, number) for number in range(n)]
    for child in children[:20]:
        screen(child, target), lower(child)
    footprints, screening = timed(lambda child: screen(child, target), children)
    _, lowering = timed(lower, children)

    from tinynas.training.build import build
    from tinynas.training.convert import fill_untrained, quantize
    from tinynas.training.flops import count_flops
    from tinynas.training.keras import configure, seed_everything

    configure(1)
    converting, simple, merged = [], [], 0
    for number, (child, footprint) in enumerate(zip(children, footprints, strict=True)):
        seed_everything(number)
        model = build(child)
        fill_untrained(model, rng)
        samples = rng.random((4, *child.input_shape), dtype=np.float32)
        (data,), (cpu,) = timed(lambda model, samples=samples: quantize(model, samples), [model])
        converting.append(cpu)
        wrong = differences(child, target, footprint, data, count_flops(model))
        if wrong and not wrong[0].startswith("merged"):
            sys.exit(f"{child}: the screen and the converted file disagree on {', '.join(wrong)}")
        merged += bool(wrong)
        simple += timed(lambda model, samples=samples: naive(model, samples), [model])[1]
    kinds = Counter(kind for child in children for kind in {block.kind for block in child.blocks})
    print(f"children      with blocks of kind {', '.join(f'{kind}: {count}' for kind, count in sorted(kinds.items()))}")
    print(f"agreement     {n} of {n} children in every figure, 0 differences; {merged} with merged constants")
    rows = (("screen", screening), ("lower", lowering), ("batch 1", converting), ("naive", simple))
    base = statistics.median(simple)
    for name, times in rows:
        middle, high = statistics.median(times), sorted(times)[int(0.95 * (len(times) - 1))]
        print(
            f"CPU a child   {name:8} median {middle:9.2f} ms   95 % {high:9.2f} ms   naive / this {base / middle:7.0f}"
        )


def memory_bytes(field: str) -> int:
    """The memory of this process: "VmRSS" now, "VmHWM" at its highest (Linux)."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return 1024 * int(lines[field].split()[0])


def endure(n: int, target: Target) -> dict[str, float]:
    """Give `n` verdicts on fresh random networks; memory after the first tenth and at the end."""
    rng, early = np.random.default_rng(2), 0
    for number in range(n):
        footprint = screen(draw(rng, number), target)
        target.limits.violations(footprint)
        if number == n // 10:
            early = memory_bytes("VmRSS")
    return {"early": early, "late": memory_bytes("VmRSS"), "peak": memory_bytes("VmHWM")}


def hurry(seconds: float, target: Target) -> dict[str, float]:
    """Give verdicts for `seconds`, on networks drawn before."""
    rng, limits, given = np.random.default_rng(3), target.limits, 0
    children = [draw(rng, number) for number in range(500)]
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        limits.violations(screen(children[given % len(children)], target))
        given += 1
    return {"rate": given / (time.perf_counter() - start)}


def tight(target: Target, share: float = 0.01) -> None:
    """Print how long a search takes to its first training when `share` of random architectures fit.

    File and arena are limited by one factor of their medians, the one that leaves that share of 2,000 random networks.
    """
    from tinynas import Dataset, search
    from tinynas.hardware import Limits
    from tinynas.runs import Evaluation

    class FirstTrainingError(BaseException):  # an Exception would be a failed child, and the search would go on
        pass

    def first(architecture: Architecture) -> Evaluation:
        raise FirstTrainingError

    rng = np.random.default_rng(4)
    data = Dataset.from_arrays(rng.random((60, 28, 28)), np.arange(60) % 10)
    space = SearchSpace.for_input(data.input_shape, data.n_classes)
    seen = [screen(space.random_architecture(rng), target) for _ in range(2000)]
    flash, arena = (statistics.median(getattr(f, name) for f in seen) for name in ("flash_bytes", "arena_bytes"))
    factors = sorted(max(f.flash_bytes / flash, f.arena_bytes / arena) for f in seen)
    factor = factors[round(share * len(factors)) - 1]
    limits = Limits(flash_bytes=int(flash * factor) + 1, ram_bytes=int(arena * factor) + 1)
    fitting = sum(not limits.violations(footprint) for footprint in seen)
    for start in ("handmade", "random"):
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            try:
                search(data, target, out=Path(folder) / "run", limits=limits, evaluate=first, start=start)
            except FirstTrainingError:
                seconds = time.perf_counter() - began
        print(
            f"tight limits  file <= {limits.flash_bytes:,} B, arena <= {limits.ram_bytes:,} B ({fitting} of 2,000 "
            f"random networks fit), start {start}: first training after {seconds:.2f} s"
        )


def in_processes(count: int, mode: str, amount: float, target: str) -> list[dict[str, float]]:
    """Run `count` copies of this program in `mode` at the same time; what each printed."""
    command = [sys.executable, __file__, "--mode", mode, "--amount", str(amount), "--target", target]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    outputs = [process.communicate()[0] for process in running]
    return [json.loads(output) for output in outputs]


def main() -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--children", type=int, default=300)
    parser.add_argument("--verdicts", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--target", default="nucleo_f401")
    parser.add_argument("--mode", choices=("all", "endure", "hurry"), default="all", help=argparse.SUPPRESS)
    parser.add_argument("--amount", type=float, default=0.0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    target = Target.load(arguments.target)
    if arguments.mode == "endure":
        print(json.dumps(endure(int(arguments.amount), target)))
    elif arguments.mode == "hurry":
        print(json.dumps(hurry(arguments.amount, target)))
    else:
        tight(target)
        agreement(arguments.children, target)
        rates = in_processes(2, "hurry", arguments.seconds, arguments.target)
        print(f"verdicts      {sum(rate['rate'] for rate in rates):,.0f} a second on 2 cores")
        (memory,) = in_processes(1, "endure", arguments.verdicts, arguments.target)
        early, late, peak = (f"{memory[name] / 1e6:.1f} MB" for name in ("early", "late", "peak"))
        print(f"memory        {early} after a tenth of {arguments.verdicts:,} verdicts, {late} after all, peak {peak}")


if __name__ == "__main__":
    main()
