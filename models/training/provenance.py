"""What weights were made of: the text of the file that lies beside them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

from unbraid_models.spleeter import LICENCE
from unbraid_models.stemnet import STEMS

from .dataset import Part, Pools
from .sources import LOOPS, permitted


def provenance(weights: Path, start: Path | None, pools: Pools, how: dict[str, Any]) -> dict[str, Any]:
    """The document about `weights`, which training made from `start`, or from Spleeter's net. What `start` was made of is in it whole."""
    began: dict[str, Any] = {"source": "Spleeter 2 stems, the net of the accompaniment", "licence": LICENCE}
    if start is not None:
        began = json.loads(start.with_suffix(".json").read_text())
        if began["sha256"] != _sha256(start):
            raise ValueError(f"{start.with_suffix('.json')} tells of other weights than {start}")
    sources: dict[str, Any] = {stem: _shares(getattr(pools, stem)) for stem in STEMS}
    if pools.loops:
        sources["loops, 6 % of the drums"] = [{"source": f"Sonic Pi, {name}", "licence": permitted("sonicpi").licence} for name in LOOPS]
    return {
        "what": "weights of the second stage of the package unbraid-4: masks of drums, bass and other for an accompaniment",
        "file": weights.name,
        "sha256": _sha256(weights),
        "format": "NumPy archive of half floats, no pickled objects; names as in models/unbraid_models/stemnet.py",
        "licence": "Apache-2.0; the initial weights are MIT (Spleeter, Deezer)",
        "training": how,
        "sources": sources,
        "began_with": began,
    }


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _shares(parts: list[Part]) -> list[dict[str, Any]]:
    """Each source with its licence and the number of rendered parts, the most used first."""
    counted = Counter(part.source for part in parts).most_common()
    return [{"source": permitted(name).title, "licence": permitted(name).licence, "parts": count} for name, count in counted]
