"""Option tables of builtin operators: which operator has which, and its values as a mapping."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import tflite

from tinynas.errors import UnsupportedOperatorError
from tinynas.tflite.graph import OptionValue
from tinynas.tflite.guard import Guard
from tinynas.tflite.schema import OPERATOR_CODES, OPTION_CODES, OPTION_TABLES, SCHEMA_NAME, Field, fields_of

_SHARED_TABLES: Mapping[str, tuple[str, ...]] = {
    "Pool2DOptions": ("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"),
    "ReducerOptions": (
        *("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"),
        *("REDUCE_PROD", "REDUCE_ANY", "REDUCE_ALL"),
    ),
    "MaximumMinimumOptions": ("MAXIMUM", "MINIMUM"),
    "L2NormOptions": ("L2_NORMALIZATION",),
    "SequenceRNNOptions": ("UNIDIRECTIONAL_SEQUENCE_RNN",),
    "RandomOptions": ("RANDOM_STANDARD_NORMAL", "RANDOM_UNIFORM", "MULTINOMIAL"),
    "Conv3DOptions": ("CONV_3D_TRANSPOSE",),
}


@cache
def option_tables() -> Mapping[str, str]:
    """The option table of each builtin operator that has one ("CONV_2D": "Conv2DOptions")."""
    by_word = {name.removesuffix("Options").lower(): name for name in OPTION_CODES if name != "NONE"}
    by_name = {name: by_word.get(name.replace("_", "").lower(), "") for name in OPERATOR_CODES}
    by_name |= {name: table for table, names in _SHARED_TABLES.items() for name in names}
    return {name: table for name, table in by_name.items() if table}


def read_options(guard: Guard, operator: Any, name: str, where: str) -> dict[str, OptionValue] | None:
    """The option table of the generated `operator` as a mapping, None when it has none.

    Raises UnsupportedOperatorError when the table is another operator's or holds what the schema's classes
    do not know, since it could then not be copied faithfully.
    """
    code = operator.BuiltinOptionsType()
    stored = operator.BuiltinOptions() if code else None
    if stored is None:
        return None
    wanted = option_tables().get(name)
    if wanted is None or OPTION_TABLES.get(code) != wanted:
        raise UnsupportedOperatorError(
            f"{where} ({name}) carries the option table {OPTION_TABLES.get(code, code)} where the schema has "
            f"{wanted or 'none'}; convert the model again"
        )
    fields, n_known = fields_of(wanted)
    table = guard.table(getattr(tflite, wanted)(), stored.Pos)
    if table._tab.has_field_from(n_known):
        raise UnsupportedOperatorError(
            f"{where} ({name}) has options that {SCHEMA_NAME} does not know, beyond the {n_known} fields of "
            f"{wanted}; convert the model with TensorFlow 2.21 or older"
        )
    return {field.name: _value(table, field) for field in fields}


def _value(table: Any, field: Field) -> OptionValue:
    if field.kind == "vector":
        value = getattr(table, f"{field.accessor}AsNumpy")()
        return () if isinstance(value, int) else tuple(value)  # the accessor says 0 for a vector left out
    value = getattr(table, field.accessor)()
    if field.kind == "Bool":
        return bool(value)
    return b"" if value is None else value
