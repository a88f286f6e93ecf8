"""Do the tests notice? Breaks the code by hand in one place after the other, and runs the tests that have to fail.

    python tools/mutants.py                     every breakage, some minutes
    python tools/mutants.py --only planner      those with the word in their file
    python tools/mutants.py --tests-of v0.1.0   with the tests of another revision: what was noticed before?

A breakage that no test notices, or whose tests fail without it, ends with exit code 1.
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_COPIED = (
    "tinynas",
    "targets",
    "tests",
    "tools",
    "docs",
    "examples",
    "README.md",
    "CHANGELOG.md",
    "Makefile",
    "pyproject.toml",
)
_TIMEOUT_S = 900


@dataclass(frozen=True)
class Mutant:
    """A breakage: the place in the package, what stands there and only there, what is put in its place.

    `tests` must fail then: files below tests/, or a file's test as pytest names it.
    """

    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def _mutant(file: str, old: str, new: str, *tests: str) -> Mutant:
    return Mutant(file, old, new, tests)


MUTANTS = (
    _mutant(
        "architecture/mutation.py",
        "if child.key != architecture.key:",
        "if True:",
        "architecture/test_mutation.py",
    ),
    _mutant(
        "architecture/walk.py",
        "(width - kw) // sw + 1",
        "(width - kw) // sw",
        "architecture/test_walk.py",
        "training/test_build.py::test_keras_has_the_shapes_of_the_genome",
    ),
    _mutant(
        "hardware/limits.py",
        "if used > allowed:",
        "if used >= allowed:",
        "hardware/test_limits.py",
    ),
    _mutant(
        "hardware/footprint.py",
        "return self.network + self.front_end",
        "return self.network",
        "searching/test_front_end.py",
    ),
    _mutant(
        "hardware/front_counts.py",
        "indices = 7 if features is None else 5",
        "indices = 5",
        "hardware/test_front_end.py::test_ram_is_that_of_the_structure",
    ),
    _mutant(
        "features/threshold.py",
        "return equal[len(equal) // 2]",
        "return equal[0]",
        "features/test_threshold.py",
    ),
    _mutant(
        "hardware/latency.py",
        "time = cycles / target.clock_hz * 1000",
        "time = cycles / target.clock_hz * 1024",
        "hardware/test_latency.py",
    ),
    _mutant(
        "hardware/latency.py",
        "if target.flash_stall and not old:",
        "if target.flash_stall:",
        "hardware/test_latency.py::test_a_run_of_version_0_1_has_that_versions_figures",
    ),
    _mutant(
        "runs/settings.py",
        """return settings if known else cls.model_validate({**dict(settings), "figures": 1})""",
        "return settings",
        "runs/test_figures.py",
    ),
    _mutant(
        "tflite/weight_reads.py",
        "size * -(-pixels // 2)",
        "size * (pixels // 2)",
        "tflite/test_weight_reads.py",
    ),
    _mutant(
        "tflite/affine.py",
        "np.round(",
        "np.floor(",
        "tflite/test_affine.py",
        "training/test_convert.py::test_input_quantisation_rounds_and_clips",
    ),
    _mutant(
        "tflite/planner.py",
        "for index in reversed(range(len(buffers)))",
        "for index in range(len(buffers))",
        "tflite/test_arena.py::test_arena_is_exact",
    ),
    _mutant(
        "tflite/planner.py",
        "if other_first <= last and first <= other_last:",
        "if other_first < last and first <= other_last:",
        "tflite/test_arena.py::test_reference_head_is_the_one_that_the_wheel_reported",
    ),
    _mutant(
        "tflite/lifetimes.py",
        "change[last + 1] -= graph.tensors[index].bytes",
        "change[last] -= graph.tensors[index].bytes",
        "tflite/test_arena.py::test_live_bytes_peak_is_the_measured_one",
    ),
    _mutant(
        "tflite/macs.py",
        "max(weights.shape[-1], 1)",
        "max(weights.shape[0], 1)",
        "tflite/test_macs.py::test_macs_are_the_measured_ones",
        "tflite/test_analyze.py::test_figures_are_those_that_were_measured",
    ),
    _mutant(
        "tflite/offline.py",
        "if minimum < least:",
        "if minimum <= least:",
        "tflite/test_offline.py::test_a_plan_is_kept_only_if_the_arena_is_smaller",
    ),
    _mutant(
        "tflite/size.py",
        "length + 4 - length % 4",
        "length",
        "tflite/test_write.py::test_the_options_of_every_operator_survive",
    ),
    _mutant(
        "tflite/size.py",
        'None if name == "ADD" else 1,  # ADD',
        "1,  # ADD",
        "tflite/test_write.py::test_the_size_is_known_without_writing",
    ),
    _mutant(
        "tflite/strip.py",
        "used = {*graph.inputs, *graph.outputs}",
        "used = set(range(len(graph.tensors)))",
        "tflite/test_strip.py",
    ),
    _mutant(
        "tflite/tflm.py",
        "if planned != found:",
        "if planned < found:",
        "tflite/test_tflm.py::test_a_head_that_tflm_plans_otherwise_is_an_error",
    ),
    _mutant(
        "features/fixed.py",
        "((x + (1 << 14)) >> 15)",
        "(x >> 15)",
        "features/test_int_log_mel.py::test_an_fft_is_numpys_divided_by_its_length",
        "export/test_features_tflite.py",
        "export/test_features_c.py",
    ),
    _mutant(
        "features/noise.py",
        "np.minimum(estimates, scaled)",
        "estimates",
        "features/test_noise.py",
        "export/test_features_tflite.py",
        "export/test_features_c.py",
    ),
    _mutant(
        "data/readers/sound.py",
        "features.after_noise(level).logs_of_windows",
        "features.logs_of_windows",
        "data/test_sound.py",
    ),
    _mutant(
        "features/int_log_mel.py",
        "(scale * logs.astype(np.int64) + 32768) >> 16",
        "(scale * logs.astype(np.int64)) >> 16",
        "export/test_features_tflite.py",
        "export/test_features_c.py",
    ),
    _mutant(
        "runs/smaller.py",
        'return error if prefer == "balanced" else',
        'return 2 * error if prefer == "balanced" else',
        "runs/test_smaller.py",
    ),
    _mutant(
        "searching/extension.py",
        "max(final.judged.values()) >= max(",
        "max(final.judged.values()) > max(",
        "searching/test_extension.py",
    ),
    _mutant(
        "searching/warm.py",
        "earlier.n_folds == settings.n_folds",
        "True",
        "searching/test_warm.py",
    ),
    _mutant(
        "data/groups.py",
        "np.intersect1d(self.codes, self.test_codes)",
        "np.union1d(self.codes, self.test_codes)",
        "data/test_groups.py",
    ),
    _mutant(
        "data/idx.py",
        "if file.read(1):",
        "if False:",
        "data/test_idx.py",
    ),
    _mutant(
        "data/labels.py",
        "encoded = order[np.searchsorted(classes, y)]",
        "encoded = np.searchsorted(classes, y)",
        "data/test_labels.py",
    ),
    _mutant(
        "data/metrics.py",
        'average="macro"',
        'average="weighted"',
        "data/test_metrics.py",
    ),
    _mutant(
        "data/normalize.py",
        "np.clip(values, 0.0, 1.0, out=values)",
        "np.maximum(values, 0.0, out=values)",
        "data/test_normalize.py",
    ),
    _mutant(
        "data/captures/sessions.py",
        "key if packet.source <= packet.destination else key[::-1]",
        "key",
        "data/captures/test_sessions.py",
    ),
    _mutant(
        "screening/counts.py",
        "2 * made + 6 *",
        "2 * made + 5 *",
        "screening/test_counts.py",
        "screening/test_real.py::test_a_handful_agrees_with_the_converter",
    ),
    _mutant(
        "screening/lower.py",
        "round(-128 - least / scale)",
        "round(-126 - least / scale)",
        "screening/test_lower.py",
    ),
    _mutant(
        "training/fold.py",
        "(rest[0] if rest else 0.0) - mean",
        "(rest[0] if rest else 0.0) + mean",
        "training/test_fold.py",
    ),
    _mutant(
        "training/inherit.py",
        "taken[:, :, channels:, :filters] = 0.0  #",
        "pass  #",
        "training/test_inherit.py::test_a_wider_block_computes_what_it_did",
    ),
    _mutant(
        "training/inherit.py",
        "channels, filters = (min(a, b) for",
        "channels, filters = (max(a, b) for",
        "training/test_inherit.py::test_any_child_gets_weights_of_its_shapes",
    ),
    _mutant(
        "training/verify.py",
        "if step > _MOST_STEPS and is_own:",
        "if step > _MOST_STEPS:",
        "training/test_verify.py",
        "export/test_convert.py::test_answers_that_differ_are_an_error_for_a_run_and_a_note_for_a_strange_file",
    ),
    _mutant(
        "training/evaluate.py",
        'if judged["ptq"] != judged["qat"]:',
        "if True:",
        "training/test_evaluate.py::test_on_a_tie_the_file_nearer_to_the_float_model_is_kept",
    ),
    _mutant(
        "training/schedule.py",
        "stretch * self.reduction**rung",
        "stretch * self.reduction * rung",
        "training/test_evaluate.py",
    ),
    _mutant(
        "engine/fixed_point.py",
        "(x + half - ((x < 0) & (exponent > 0))) >> exponent",
        "(x + half) >> exponent",
        "engine/test_fixed_point.py",
    ),
    _mutant(
        "engine/fixed_point.py",
        "for _ in range(3):",
        "for _ in range(1):",
        "engine/test_fixed_point.py",
    ),
    _mutant(
        "measuring/device.py",
        'refused = line[3:].rstrip("]")[:80]',
        "raise _RefusalError(line)",
        "measuring/test_device.py",
    ),
    _mutant(
        "hardware/measured.py",
        "weight >= 0.9 * upto[-1] - 1e-9",
        "weight >= 0.1 * upto[-1]",
        "hardware/test_measured.py",
    ),
    _mutant(
        "runs/front.py",
        "(rows < row).any(axis=1)",
        "(rows < row).all(axis=1)",
        "runs/test_front.py",
    ),
    _mutant(
        "runs/journal.py",
        "INSERT OR REPLACE INTO facts",
        "INSERT OR IGNORE INTO facts",
        "runs/test_journal.py",
    ),
    _mutant(
        "searching/halving.py",
        "// reduction - len(gone)",
        "// reduction",
        "searching/test_halving.py",
    ),
    _mutant(
        "searching/nsga2.py",
        "distances[order[0]] = distances[order[-1]] = np.inf",
        "distances[order[0]] = np.inf",
        "searching/test_nsga2.py",
    ),
    _mutant(
        "searching/equal_length.py",
        "max(0.0, median(self._gains))",
        "median(self._gains)",
        "searching/test_equal_length.py",
    ),
    _mutant(
        "searching/agreement.py",
        "    if wrong:",
        "    if not wrong:",
        "searching/test_agreement.py",
    ),
    _mutant(
        "searching/surrogate.py",
        "self._fitted is None or self._fitted[0] != len(self._features)",
        "self._fitted is None",
        "searching/test_strategies.py::test_a_strategy_that_was_only_told_goes_on_the_same",
    ),
    _mutant(
        "searching/surrogate.py",
        "self._told.add(key)",
        "pass",
        "searching/test_loop.py::test_a_killed_search_goes_on_to_the_same_end",
        "searching/test_strategies.py",
    ),
    _mutant(
        "searching/planning.py",
        "np.random.default_rng([settings.seed, generation])",
        "np.random.default_rng()",
        "searching/test_loop.py::test_a_killed_search_goes_on_to_the_same_end",
    ),
    _mutant(
        "searching/planning.py",
        "if number in course.record:  # a resumed generation",
        "if False:  # a resumed generation",
        "searching/test_loop.py::test_a_killed_search_goes_on_to_the_same_end",
    ),
    _mutant(
        "searching/planning.py",
        "under_way[-1].numbers.stop if under_way else record.first_number(number)",
        "record.first_number(number)",
        "searching/test_ahead.py",
    ),
    _mutant(
        "searching/loop.py",
        "before = [each for each in self._under_way if each.number < told]",
        "before = [each for each in self._under_way if not each.open]",
        "searching/test_ahead.py::test_the_number_of_workers_changes_nothing",
    ),
    _mutant(
        "searching/loop.py",
        "self._jobs = [job for job in jobs if job.number in still] + self._jobs",
        "pass",
        "searching/test_ahead.py::test_an_executor_that_does_not_look_again_is_given_the_rest_another_time",
    ),
    _mutant(
        "searching/ahead.py",
        "max(0, int(journal.fact(name, 0.0)))",
        "4",
        "searching/test_ahead.py::test_what_an_earlier_version_began_goes_on_as_it_began",
    ),
    _mutant(
        "searching/recovery.py",
        "first = newest if record.finalists((newest,)) else min(newest, ahead.told(newest))",
        "first = newest",
        "searching/test_ahead.py::test_failed_trials_that_nothing_is_built_on_are_tried_again",
    ),
    _mutant(
        "searching/tries.py",
        "        trouble = found\n",
        "",
        "searching/test_tries.py",
    ),
    _mutant(
        "searching/streak.py",
        "            self._kinds.clear()\n",
        "",
        "searching/test_recovery.py",
    ),
    _mutant(
        "export/operators.py",
        "small = name in INT8_ONLY and name not in wider",
        "small = name in INT8_ONLY",
        "export/test_operators.py",
    ),
    _mutant(
        "export/operators.py",
        '"MAX_POOL_2D": "AddMaxPool2D",',
        '"MAX_POOL_2D": "AddAveragePool2D",',
        "export/test_operators.py::test_it_names_exactly_the_operators_of_the_file",
    ),
    _mutant(
        "export/c_text.py",
        "if name in _KEYWORDS:",
        "if False:",
        "export/test_settings.py::test_bad_names_get_one_sentence_with_a_better_one",
    ),
    _mutant(
        "report/words.py",
        "value / 1024",
        "value / 1000",
        "report/test_words.py",
    ),
    _mutant(
        "report/family.py",
        "t.parent == parent.number and t.number != child.number",
        "t.parent == parent.number",
        "report/test_family.py",
    ),
    _mutant(
        "cli/formats.py",
        '"kib": 1024',
        '"kib": 1000',
        "cli/test_formats.py",
    ),
)


def copied(folder: Path, tests_of: str | None) -> Path:
    """Copy the project into `folder`, with the tests of another revision where one is named."""
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    if tests_of is not None:
        packed = subprocess.run(
            ["git", "archive", tests_of, "tests", "pyproject.toml"], cwd=ROOT, capture_output=True, check=True
        )
        shutil.rmtree(folder / "tests")
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as tar:
            tar.extractall(folder, filter="data")
    return folder


def fails(folder: Path, tests: tuple[str, ...]) -> tuple[bool, str]:
    """Run `tests` in the project in `folder`: whether one fails, and the end of what pytest says."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*command, *(f"tests/{name}" for name in tests)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"pytest could not run {', '.join(tests)}:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    return done.returncode == 1, done.stdout.strip().splitlines()[-1]


def noticed(folder: Path, mutant: Mutant) -> bool:
    """Break the project in `folder`, say whether each of the mutant's tests fails, and mend it again."""
    path = folder / "tinynas" / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.file} has {text.count(mutant.old)} times {mutant.old!r}; wanted once")
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        return all(fails(folder, (test,))[0] for test in mutant.tests)
    finally:
        path.write_text(text, encoding="utf-8")


def main() -> int:
    """Say of each breakage whether it is noticed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="a word of the file's name")
    parser.add_argument("--tests-of", metavar="REVISION", help="take the tests of this revision")
    given = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if given.only in mutant.file]
    missed = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = copied(Path(temporary), given.tests_of)
        broken, said = fails(folder, tuple(dict.fromkeys(test for mutant in chosen for test in mutant.tests)))
        if broken:
            raise SystemExit(f"The tests fail without any breakage: {said}")
        for mutant in chosen:
            start = time.monotonic()
            seen = noticed(folder, mutant)
            missed += [] if seen else [mutant]
            seconds = time.monotonic() - start
            print(f"{'noticed' if seen else 'MISSED '} {seconds:5.1f} s  {mutant.file}: {mutant.new}", flush=True)
    print(f"{len(chosen) - len(missed)} of {len(chosen)} breakages are noticed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
