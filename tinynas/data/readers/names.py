"""What a column's name suggests. A suggestion is never more than that: contents and options go before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

# The label, the likeliest name first; the second tier says less than a column of text does.
LABELS = ("label", "class", "target", "activity")
WEAK_LABELS = (
    *("labels", "classes", "category", "gesture", "movement", "motion", "action", "event", "state", "species", "kind"),
    *("type", "condition", "annotation", "outcome", "diagnosis", "word", "digit", "groundtruth", "gt"),
    *("classname", "classid", "labelname", "labelid", "activityname", "activityid", "activitylabel", "classlabel"),
)
AXIS = "y"  # a label in tables of statistics, an axis beside x and z

_UNITS = {
    1.0: ("s", "sec", "secs", "second", "seconds"),
    1e-3: ("ms", "msec", "msecs", "milli", "millis", "millisecond", "milliseconds"),
    1e-6: ("us", "µs", "μs", "usec", "usecs", "micro", "micros", "microsecond", "microseconds"),
    1e-9: ("ns", "nsec", "nanos", "nanosecond", "nanoseconds"),
    60.0: ("min", "mins", "minute", "minutes"),
}
_SECONDS = {name: seconds for seconds, names in _UNITS.items() for name in names}
_TIMES = re.compile(
    "time|timestamps?|datetime|date|elapsed|epoch|unix|unixtime|clock|elapsedtime|timeelapsed|utc|gmt|"
    "(system|sample|sensor|record|local|logging)time"
)
_UNITS_ALONE = re.compile("seconds|secs|ms|msec|millis|milliseconds|us|usec|micros|microseconds|ns|nanoseconds")
_SHORT = re.compile("ts?")
_INDICES = re.compile(
    "index|idx|id|nr|counter|unnamed0|seq|sequence|(row|line|record)(id|no|nr|num|number|index|idx)?|"
    "(seq|sequence|sample|frame|packet)(id|no|num|number|index|idx|counter)"
)
_PEOPLE = re.compile(
    "(subject|user|person|participant|volunteer|patient|session|recording|trial|experiment|device|speaker)"
    "(id|no|number|name)?|file|filename|filepath|uuid|wearer"
)


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """A name without what stands in brackets, in lower case, its letters and digits alone."""
    return re.sub(r"[^0-9a-zµμ]+", "", re.sub(r"[(\[{].*?[)\]}]", "", name).lower())


def is_time(name: str) -> bool:
    """Whether a column is called a time: time, timestamp (ms), seconds_elapsed, ..."""
    base = plain(name)
    if _TIMES.fullmatch(base) or _UNITS_ALONE.fullmatch(base):
        return True
    words = [word for word in re.split(r"[^0-9a-zµμ]+", name.lower()) if word]
    kinds = [_TIMES.fullmatch(word) or word in (*_SECONDS, "since", "start", "boot", "in", "the") for word in words]
    return all(kinds) and any(map(_TIMES.fullmatch, words))


def is_short_time(name: str) -> bool:
    """Whether a column has a name that is a time's, but may as well be a temperature's."""
    return _SHORT.fullmatch(plain(name)) is not None


def is_index(name: str, number: int) -> bool:
    """Whether a column is called a row number, as the one without a name is that pandas writes first."""
    return _INDICES.fullmatch(plain(name)) is not None or (number == 0 and name == "unnamed 1")


def is_person(name: str) -> bool:
    """Whether a column is called by who or what was recorded."""
    return _PEOPLE.fullmatch(plain(name)) is not None


def is_axis(name: str, names: Sequence[str]) -> bool:
    """Whether y is an axis: there is a z too."""
    return name.lower() == AXIS and "z" in [other.lower() for other in names]


def unit_of(name: str) -> float | None:
    """The seconds that the unit in a time's name stands for: time_ms, Time [us], millis; None without one."""
    words = [word for word in re.split(r"[^0-9a-zµμ]+", name.lower()) if word]
    found = [_SECONDS[word] for word in words if word in _SECONDS]
    return found[-1] if found else None
