"""The version, for the rooms that write it into what they leave behind."""

__version__ = "0.1.0"
