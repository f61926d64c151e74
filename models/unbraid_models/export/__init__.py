"""Packages from the models that people use, and from any other module: offline tools, never part of a service."""

from .part import Part, Way, export

__all__ = ["Part", "Way", "export"]
