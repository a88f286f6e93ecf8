"""`every`: parametrize for cases by the dozen that test one thing, as one test that names each case that fails."""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pytest


def every(names: str, cases: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run the test below on each of `cases`, whose values go to `names` as pytest.mark.parametrize has them.

    All cases run, in one test (pytest takes a millisecond or two and some lines of its report for a test of its own).
    They share the fixtures, so none may change one. Where there are no cases the test fails: it would hold nothing.
    """
    keys, found = [name.strip() for name in names.split(",")], list(cases)

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def on_every_case(**fixtures: Any) -> None:
            assert found, f"no cases of {names}"
            failures = []
            for case in found:
                given = dict(zip(keys, (case,) if len(keys) == 1 else case, strict=True))
                try:
                    test(**given, **fixtures)
                except (Exception, pytest.fail.Exception) as error:
                    failures.append((given, error))
            if failures:
                texts = [f"{_text(given)}: {type(error).__name__}: {error}" for given, error in failures]
                raise AssertionError(f"{len(failures)} of {len(found)} failed\n" + "\n".join(texts)) from failures[0][1]

        parameters = [each for name, each in inspect.signature(test).parameters.items() if name not in keys]
        on_every_case.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # the fixtures
        return on_every_case

    return decorate


def _text(given: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in given.items())
