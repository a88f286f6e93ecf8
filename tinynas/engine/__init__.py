"""A model as plain C."""
