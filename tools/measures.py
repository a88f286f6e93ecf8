"""What can be measured of one architecture, in a process of one thread: zero-cost scores, trials, plain trainings."""

import time
from importlib.metadata import version
from typing import Any

import numpy as np
from study import Job, Setup

from tinynas.architecture import SearchSpace
from tinynas.data.splits import representative_rows
from tinynas.hardware import Target
from tinynas.runs import DataSource, Settings
from tinynas.screening import screen

BATCH = 64  # samples that a zero-cost score sees
FOLDS = 5  # as a search has them
SCORED = 4000  # held-out samples that a plain training is scored on, as many as a trial

_measures: "Measures | None" = None


def start(setup: Setup) -> None:
    """Set up a process."""
    global _measures
    _measures = Measures(setup)


def measure(job: Job) -> dict[str, Any]:
    """What `job` gives in this process: a score and the seconds it took, or an error."""
    assert _measures is not None
    return _measures(job)


class Measures:
    """The measures, in a process of their own. Each returns its scores; the time they took is added."""

    def __init__(self, setup: Setup) -> None:
        self.setup, self.dataset = setup, setup.dataset()
        self.target, self.limits = Target.load(setup.target), setup.limits()
        self._worker: Any = None
        self._warm = False

    def __call__(self, job: Job) -> dict[str, Any]:
        self._warm_up(job.kind)
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            result: dict[str, Any] = getattr(self, job.kind)(job)
        except Exception as error:
            result = {"error": " ".join(f"{type(error).__name__}: {error}".split())}
        result.setdefault("cpu_s", round(time.process_time() - cpu, 4))
        result.setdefault("wall_s", round(time.perf_counter() - wall, 4))
        return result

    def footprint(self, job: Job) -> dict[str, Any]:
        from zero_cost import capacity

        footprint = screen(job.architecture, self.target)
        sizes = {"flash_bytes": footprint.flash_bytes, "arena_bytes": footprint.arena_bytes}
        return {"score": capacity(footprint)[job.plan[0]], **sizes}

    def zero_cost(self, job: Job) -> dict[str, Any]:
        """A score of `zero_cost`, the building of the network included."""
        import zero_cost

        x = self.dataset.representative(BATCH, self.setup.seed)
        y = self.dataset.y[representative_rows(self.dataset.y, BATCH, self.setup.seed)]
        model = zero_cost.untrained(job.architecture, self._seed(job))
        given = {"gradient_norm": (x, y), "synflow": ()}.get(job.plan[0], (x,))
        return {"score": getattr(zero_cost, job.plan[0])(model, *given)}

    def train(self, job: Job) -> dict[str, Any]:
        """A trial as a search runs it: built, converted, checked, trained, quantised and scored in int8."""
        from tinynas.searching.jobs import Job as Trial
        from tinynas.training.schedule import Schedule

        fidelity, samples, epochs = job.plan
        trial = Trial(
            number=job.number,
            generation=0,
            parent=None,
            architecture=job.architecture,
            fidelity=fidelity,
            seed=self._seed(job),
            screened=screen(job.architecture, self.target),
            schedule=Schedule(1, samples, epochs),
        )
        evaluation = self._trials().evaluate(trial).evaluation
        if not evaluation.folds:
            return {"error": evaluation.error or "; ".join(evaluation.violations)}
        return {"score": evaluation.mean(), "float": evaluation.mean(model="float"), "visits": evaluation.visits}

    def plain(self, job: Job) -> dict[str, Any]:
        """Keras's own fit with its defaults: Adam, batch norms of momentum 0.99, float accuracy; after each epoch.

        An epoch's seconds are those up to its end, with one evaluation; those of the epochs before are left out.
        """
        from tinynas.training.build import build
        from tinynas.training.keras import keras, seed_everything

        samples, epochs, batch = job.plan
        cpu, seed = time.process_time(), self._seed(job)
        fold, rng = self.dataset.folds(FOLDS, 0)[0], np.random.default_rng(seed)
        train, held_out = rng.permutation(fold.train)[:samples], rng.permutation(fold.validation)[:SCORED]
        x, y, x_held, y_held = (a[rows] for rows in (train, held_out) for a in (self.dataset.x, self.dataset.y))
        seed_everything(seed)
        model = build(job.architecture)
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = 0.99
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        curve: list[tuple[int, float, float]] = []  # epoch, score, CPU seconds
        scoring = 0.0

        def scored(epoch: int, logs: Any) -> None:
            nonlocal scoring
            before = time.process_time()
            accuracy = model.evaluate(x_held, y_held, batch_size=512, verbose=0)[1]
            now = time.process_time()
            curve.append((epoch + 1, float(accuracy), round(now - cpu - scoring, 4)))
            scoring += now - before

        each = keras.callbacks.LambdaCallback(on_epoch_end=scored)
        model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0, callbacks=[each])
        keras.backend.clear_session()
        return {"score": curve[-1][1], "cpu_s": curve[-1][2], "curve": curve}

    def _seed(self, job: Job) -> int:
        """A seed of its own for each measure: equal initial weights would make two measures agree too well."""
        text = f"{self.setup.seed} {job.architecture.key} {job.measure}"
        return int(np.random.default_rng(list(text.encode())).integers(2**31))

    def _trials(self) -> Any:
        if self._worker is None:
            from tinynas.searching.worker import Worker

            settings = Settings.create(
                version=version("tinynas"),
                target=self.target,
                data=DataSource(kind="arrays", digest=self.dataset.digest, summary=self.dataset.summary()),
                space=SearchSpace.for_input(self.dataset.input_shape, self.dataset.n_classes),
                limits=self.limits,
                **{**dict(self.setup.settings), "precision": self.setup.precision(self.dataset)},
            )
            self._worker = Worker(self.dataset, settings)
        return self._worker

    def _warm_up(self, kind: str) -> None:
        """Start TensorFlow on one thread before any clock runs; deterministic as tinynas has it, or plain."""
        if kind == "footprint" or self._warm:
            return
        from tinynas.training.keras import configure, tf

        if kind == "plain":
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        else:
            configure(1)
        tf.reduce_sum(tf.ones(2))
        self._warm = True
