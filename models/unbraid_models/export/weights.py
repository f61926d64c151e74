"""Where the publishers keep their weights, and how each file is known again. The only place that names their servers.

The digits of SHA-256 are those that have been published: all 64 where they were found, and otherwise the 8 with which
Open-Unmix names its files. A size of None has not been published. Nothing here is made up, and nothing is loaded that
differs from it.
"""

from __future__ import annotations

from dataclasses import dataclass

_DEMUCS = "https://dl.fbaipublicfiles.com/demucs/"
_TORCHAUDIO = "https://download.pytorch.org/torchaudio/models/"
_UMXHQ = "https://zenodo.org/records/3370489/files/"
_UMXL = "https://zenodo.org/records/5069601/files/"


@dataclass(frozen=True)
class Weight:
    """One file of weights: its address, the first digits of its SHA-256 (lower-case hex), its size in bytes or None."""

    url: str
    sha256: str
    size: int | None

    @property
    def file(self) -> str:
        return self.url.rpartition("/")[2]


def _hybrid(file: str, sha256: str, size: int) -> Weight:
    return Weight(f"{_DEMUCS}hybrid_transformer/{file}", sha256, size)


def _mdx(file: str, sha256: str, size: int) -> Weight:
    return Weight(f"{_DEMUCS}mdx_final/{file}", sha256, size)


# By the name of the exporter; several files stand in the order in which the exporter wants them.
WEIGHTS: dict[str, tuple[Weight, ...]] = {
    "htdemucs": (
        _hybrid("955717e8-8726e21a.th", "8726e21a993978c7ba086d3872e7608d7d5bfca646ca4aca459ffda844faa8b4", 84141911),
    ),
    "htdemucs_ft": (
        _hybrid("f7e0c4bc-ba3fe64a.th", "ba3fe64ae8ef66ac9a4857222ce48efbdc5eb3ad375cb79dd13debee5aaa4066", 84141271),
        _hybrid("d12395a8-e57c48e6.th", "e57c48e6b0e38af4f7118d7bd08c49f0a0c0edf7d09143bdd902ea0d237303e6", 84141271),
        _hybrid("92cfc3b6-ef3bcb9c.th", "ef3bcb9c8b40d14ae5d51b6db2587339cc12c6b77c0be151ce6d69002e087bf2", 84141271),
        _hybrid("04573f0d-f3cf25b2.th", "f3cf25b222c4eed7cd49dd8b2c9597d50c18bd154090f7b919cfa5f93cf22c49", 84141271),
    ),
    "htdemucs_6s": (
        _hybrid("5c90dfd2-34c22ccb.th", "34c22ccb381c6f9fdbf324f04e1e2fe21aaaf293f5ded163a162697ff9a02ddd", 54996327),
    ),
    "hdemucs_mmi": (
        _hybrid("75fc33f5-1941ce65.th", "1941ce654b11df4132b9f4eae408556b4c83fad6fe26b4bc0dbcb36b975befb3", 167407275),
    ),
    "mdx_extra": (
        _mdx("e51eebcc-c1b80bdd.th", "c1b80bdd6de58274abf359e66822a76f49ce2b9f086fc5dc917ac14598e6bebf", 167399275),
        _mdx("a1d90b5c-ae9d2452.th", "ae9d245283bf24b552913ee233a1101dcd0aeaed59b1c0a2da0e1f6eda15101b", 167391595),
        _mdx("5d2d6c55-db83574e.th", "db83574e05b2308f76e2764819da673f2d16d437b9e619f5fcb72f275fc0e24f", 167391595),
        _mdx("cfa93e08-61801ae1.th", "61801ae1567d606c97a9c3469e943ae306d0a873eeb60d623ae7cfc7042b3f68", 167399275),
    ),
    "hdemucs_high": (
        Weight(f"{_TORCHAUDIO}hdemucs_high_trained.pt", "a004b2790d73ffeaa535db458a1a79b539dfdbafbccc31f275d07e632ebd7816",
               334697255),
    ),
    "umxhq": (
        Weight(f"{_UMXHQ}vocals-b62c91ce.pth", "b62c91cedbc7a066f1778ead5b5cecb377aa3a46a31af1cce7c5c8769339d083", 35637796),
        Weight(f"{_UMXHQ}drums-9619578f.pth", "9619578f885c54737cb0234f9f9a4a679ee4f31438fd77fd1dbe02bb16c2da0a", 35637796),
        Weight(f"{_UMXHQ}bass-8d85a5bd.pth", "8d85a5bd3f996a8867fca0e8442e077e5a3f5ec747a6112742452a8f347b39c8", 35637796),
        Weight(f"{_UMXHQ}other-b52fbbf7.pth", "b52fbbf76479e752bd72e02304c602ac7802aa5bfbfb9cd12054b2695d5093ab", 35637796),
    ),
    "umxl": (
        Weight(f"{_UMXL}vocals-bccbd9aa.pth", "bccbd9aa", None),
        Weight(f"{_UMXL}drums-69e0ebd4.pth", "69e0ebd4", None),
        Weight(f"{_UMXL}bass-2ca1ce51.pth", "2ca1ce51", None),
        Weight(f"{_UMXL}other-c8c5b3e6.pth", "c8c5b3e6", None),
    ),
}
