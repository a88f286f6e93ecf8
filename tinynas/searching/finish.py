"""The end of a search: the best few trained fold by fold, then the best of them on all data, and the summary."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tinynas.runs import Trial
from tinynas.searching.course import Course, again
from tinynas.searching.events import FinalProgress, GenerationStarted
from tinynas.searching.extension import earlier_final, finalists_fact, is_better, rounds
from tinynas.searching.feasible import Candidate
from tinynas.searching.final import final_job, require_fits, say_final
from tinynas.searching.jobs import Final
from tinynas.searching.recovery import FINAL_FROM, damage, none_trained
from tinynas.searching.summary import about_best, summarize, warnings_of
from tinynas.training.schedule import Schedule

_FINAL_GIVEN = "final_given_s"  # the fact that says how many seconds the final training had; None: those of its epochs
_LASTING = 8  # trials of each rung whose weights stay: a search that is given more goes on from them


def end(course: Course, generation: int) -> None:
    """End the search phase, whose next generation would be `generation`, with whatever comes after it."""
    if course.settings.fidelity == "none":
        _summarize(course, None, None)
        return
    _finalists(course, generation)
    _final(course, generation)


def _finalists(course: Course, generation: int) -> None:
    """Train the best few of a proxy search for longer, so that the winner is not the luckiest proxy."""
    record = course.record
    if course.settings.fidelity != "proxy" or not course.contenders():
        return
    schedule, ranked, goes_on = _comparison(course)
    known = any(trial.evaluation.fidelity == "full" for trial in course.trials)
    stays = "the best of before stays" if known else "the best proxy wins"
    if schedule is None:
        course.say(f"There is no time to train the finalists for longer: {stays}.")
        return
    jobs, done = [], {trial.architecture.key for trial in record.finalists(_rounds(course))}
    new = [trial for trial in ranked if trial.architecture.key not in done]
    for number, trial in enumerate(new, record.first_number(generation, finalists=True)):
        if number not in record and trial.evaluation.footprint is not None:
            candidate = Candidate(again(trial), trial.evaluation.footprint, ())
            start = course.start_of(trial.number) if goes_on else None
            job = course.job(number, generation, candidate, schedule)
            jobs.append(replace(job, fidelity="full", start=start))
    course.watch(GenerationStarted(generation, "finalists", len(jobs), 0, 1.0))
    for _ in course.train(jobs, course.clock.finalists_deadline(goes_on)):
        pass  # none follows from another
    if jobs and not any(job.number in record for job in jobs):
        course.say(f"The time was over before a finalist could begin: {stays}.")
    if failures := none_trained(course.trials):
        course.say(f"No finalist could be trained ({failures}): the best of the search phase wins.")


def _comparison(course: Course) -> tuple[Schedule | None, list[Trial], bool]:
    """Return how long finalists are trained, who they are, and whether they go on from the weights that they have.

    It is settled once; the schedule is None where there is no time for them.
    """
    journal, fact = course.run.journal, finalists_fact(course.part.number)
    settled = journal.fact(fact)
    if settled is None:
        schedule, places, n = _settle(course)
        journal.set_fact(f"{fact}_going_on", n)
        journal.set_fact(f"{fact}_places", places)
        journal.set_fact(fact, (schedule or Schedule(0, 0, 0)).to_dict())
    else:
        schedule, n = Schedule.from_dict(settled), journal.fact(f"{fact}_going_on", 0)
        schedule, places = schedule if schedule.folds else None, journal.fact(f"{fact}_places", 0)
    return schedule, course.contenders(n or places or None), n > 0


def _settle(course: Course) -> tuple[Schedule | None, int, int]:
    """Return how long finalists are trained, for how many there are places, and how many go on from their weights.

    The places are 0 where they are those of the settings, and the last is 0 where none goes on. With little time fewer
    go on: the leader and the best of the hand-made starts at least.
    """
    clock, searched = course.clock, course.record.searched
    ranked = course.contenders()
    for held in range(clock.places(searched, ranked, course.lengths), len(ranked), -1):
        beside = max(0, len(course.contenders(held)) - held)  # hand-made, or of an earlier part: they need places too
        schedule = clock.finalists(searched, course.contenders(held - beside), course.lengths)
        if schedule is not None and schedule.epochs >= (clock.enough_epochs or 0):  # those who came may cost more
            return schedule, held - beside, 0
    schedule = clock.finalists(searched, ranked, course.lengths)
    if schedule is not None:
        return schedule, 0, 0
    for n in range(course.n_finalists, 0, -1):
        ranked = course.contenders(n)
        schedule = clock.going_on(searched, ranked, course.lengths, course.settings) if len(ranked) > 1 else None
        if schedule is not None:
            return schedule, 0, n
    return None, 0, 0


def _rounds(course: Course) -> tuple[int, ...]:
    """Return the generations of earlier finalists that were trained as those of this part are."""
    return rounds(course.run, course.run.journal.fact(finalists_fact(course.part.number)))


def _final(course: Course, generation: int) -> None:
    """Train the best architecture on all training data, save it, and write the summary.

    Where it has a final model from an earlier part, that one stays unless another is better.
    """
    run, clock = course.run, course.clock
    best = course.record.best((*_rounds(course), generation), course.samples, course.proven)
    earlier, seconds = earlier_final(run, course.part, best, course.trials), clock.final_seconds()
    if earlier is not None:
        best, before = earlier
        had = run.journal.fact(_FINAL_GIVEN)
        is_longer = seconds is not None and (had is None or seconds > had)
        if not is_longer and damage(run, before) is None:  # it would be trained as it was, or for less long
            _stay(course, best, before)
            return
    chosen = _chosen(best, course)
    course.say(f"Final training of {best}{'' if chosen is None else f', {chosen}'}.")
    run.journal.set_fact(FINAL_FROM, course.age())
    start = course.start_of(best.number) if best.evaluation.fidelity == "full" else None
    epochs = None if start is None else course.enough_epochs
    cool = epochs is not None
    job = final_job(course.settings, course.lengths, best, seconds, epochs, start=start, twice=clock.twice, cool=cool)
    final = course.executor.final(job, lambda told: course.watch(FinalProgress.of(told)))
    if final is None:
        _summarize(course, best, None)
    elif earlier is not None and not is_better(final, before) and damage(run, before) is None:
        _stay(course, best, before)
    else:
        _save_final(course, best, final, seconds)


def _chosen(best: Trial, course: Course) -> str | None:
    """Return why `best` was chosen where another trial, trained alike, has a higher score; None where none has."""
    full, prefer = best.evaluation.fidelity == "full", course.settings.prefer
    alike = [t for t in course.trials if t.evaluation.folds and t.evaluation.training == best.evaluation.training]
    first = max(alike, key=lambda trial: trial.evaluation.mean(course.settings.metric))
    if first.evaluation.mean(course.settings.metric) <= best.evaluation.mean(course.settings.metric):
        return None
    if prefer != "accuracy":
        small = f"smaller than #{first.number}, which scores higher by no more than --prefer {prefer} gives up"
        return small if full else None
    if not full:
        return f"which has more to gain from a long training, by its size and what it has seen, than #{first.number}"
    stays = course.settings.fidelity == "proxy" and best.architecture.key in course.proven
    return f"a hand-made start, since #{first.number} is better by less than a standard error" if stays else None


def _stay(course: Course, best: Trial, before: Mapping[str, Any]) -> None:
    """Let the final model of an earlier part be the end of this one as well."""
    run = course.run
    course.say(f"Nothing better was found: the final model of trial {best.number} stays the best.")
    summary = summarize(run, course.dataset, course.trials, best, None, course.age())
    kept = {name: before[name] for name in ("best", "warnings") if name in before}
    run.write_summary({**summary, **kept})
    run.drop_copy(best.number)
    run.prune_weights(course.record.lasting(_LASTING))


def _save_final(course: Course, best: Trial, final: Final, seconds: float | None) -> None:
    require_fits(course.settings, final)
    warnings = warnings_of(course.run, course.dataset, course.trials, best, final)
    about = about_best(course.run, course.dataset, best, final.footprint, "final", warnings)
    course.run.save_best(about, final.keras, final.tflite, final.samples)
    course.run.journal.set_fact("seconds", course.age())
    course.run.journal.set_fact(_FINAL_GIVEN, seconds)
    _summarize(course, best, final)
    say_final(final, course.say)


def _summarize(course: Course, best: Trial | None, final: Final | None) -> None:
    run = course.run
    run.prune_weights(course.record.lasting(_LASTING))  # first: with the summary the search has ended
    chosen = None if best is None else _chosen(best, course)
    run.write_summary(summarize(run, course.dataset, course.trials, best, final, course.age(), chosen))
