"""Commands whose help has a name for each value, and nothing beside a switch, in place of the names of Python types."""

from typing import Any

from typer.core import TyperCommand, TyperGroup, TyperOption

_VALUES = {"<path>": "PATH", "<int>": "N", "<float>": "NUMBER"}


class _Named:
    """Gives what its options have no name for one by their type."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, --help among them."""
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            if isinstance(param, TyperOption) and param.metavar is None:
                param.metavar = "" if param.is_flag else _VALUES.get(param.display_type(ctx), "NAME")
        return params


class Command(_Named, TyperCommand):
    """A command."""


class Group(_Named, TyperGroup):
    """A group of commands."""
