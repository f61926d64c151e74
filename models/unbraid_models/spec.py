"""What a model package says about itself: the fields of `model.json`, without any need for torch."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

DESCRIPTION_FILE = "model.json"
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
STEM_PATTERN = re.compile(r"[a-z0-9_-]{1,64}")
# What services call other things by.
RESERVED_STEMS = ("mix", "residual")
RATES = (8_000, 192_000)
# A window of stereo and what is said of it must fit into one message of 16 MiB.
MAX_WINDOW = 2**21 - 1024


@dataclass(frozen=True)
class GraphEntry:
    """A TorchScript file as `model.json` names it: the file, its SHA-256, and the stems that it gives, in its order."""

    file: str
    sha256: str
    stems: tuple[str, ...]


@dataclass(frozen=True)
class PackageSpec:
    """The description of one package. Lengths are frames at `sample_rate`."""

    name: str
    version: str
    title: str
    stems: tuple[str, ...]
    licence: dict[str, str]
    source: str
    quality: dict[str, Any] = field(default_factory=dict)
    sample_rate: int = 44100
    channels: int = 2
    window: int = 262144
    overlap: int = 41644
    normalisation: str = "none"
    min_libtorch: str = "1.13"

    def validate(self) -> None:
        """Raises ValueError for a description which no service could use; the rules are those by which services read it."""
        if not NAME_PATTERN.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no package name: use lower-case letters, digits, - and _")
        if not RATES[0] <= self.sample_rate <= RATES[1]:
            raise ValueError(f"a sample rate is {RATES[0]} to {RATES[1]} Hz, not {self.sample_rate}")
        if self.channels not in (1, 2):
            raise ValueError(f"a model has one channel or two, not {self.channels}")
        if not 2 <= self.window <= MAX_WINDOW:
            raise ValueError(f"a window is 2 to {MAX_WINDOW} frames, not {self.window}")
        if not 0 <= 2 * self.overlap <= self.window:
            raise ValueError(f"an overlap of {self.overlap} frames does not fit twice into {self.window}")
        if not self.stems or len(set(self.stems)) != len(self.stems):
            raise ValueError("stems must be named, each once")
        for stem in self.stems:
            if not STEM_PATTERN.fullmatch(stem) or stem in RESERVED_STEMS:
                raise ValueError(f"{stem!r} is no name of a stem: use lower-case letters, digits, - and _, but not {' or '.join(RESERVED_STEMS)}")
        if not self.licence.get("weights"):
            raise ValueError("the licence must name that of the weights; say 'none' where there are none")
        if self.normalisation not in ("none", "track"):
            raise ValueError(f"normalisation is 'none' or 'track', not {self.normalisation!r}")

    def description(self, graphs: Sequence[GraphEntry]) -> bytes:
        """The bytes of `model.json`. Their SHA-256 is the identity of the package, so they hold no date and no path.

        One graph makes a description of format 1, several make one of format 2.
        """
        self.validate()
        if sorted(stem for graph in graphs for stem in graph.stems) != sorted(self.stems):
            raise ValueError("the graphs must make every stem of the package, each once")
        if len(graphs) == 1:
            number, named = 1, {"graph": {"file": graphs[0].file, "sha256": graphs[0].sha256}}
        else:
            number, named = 2, {"graphs": [{"file": graph.file, "sha256": graph.sha256, "stems": list(graph.stems)}
                                           for graph in graphs]}
        document = {
            "format": number,
            "name": self.name,
            "version": self.version,
            "title": self.title,
            **named,
            "sample_rate": self.sample_rate,
            "channels": self.channels,
            "window": self.window,
            "overlap": self.overlap,
            "stems": list(self.stems),
            "normalisation": self.normalisation,
            "licence": self.licence,
            "source": self.source,
            "quality": self.quality,
            "min_libtorch": self.min_libtorch,
        }
        return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
