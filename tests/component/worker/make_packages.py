"""Builds the model packages that the worker's tests need and nobody else: python3 make_packages.py FOLDER.

moody        stems are 1/4 and 3/4 of the input; the first sample of a window says what else happens:
               8 and more   that many rounds of work first, so that a test can have a chunk that takes long
               -8           an exception
               -16          a result that is not finite
               -32          the process ends, as by a defect in a library
               -64          no end
heavy        the same with 4 MB of parameters
heavier      with 5 MB
mono         one channel; stems are 1/4 and 3/4 of the input
wrong_shape  one frame is missing from what comes out
no_tensor    what comes out is a pair
"""

import hashlib
import json
import sys
from pathlib import Path

import torch

WINDOW = 4096


class Moody(torch.nn.Module):
    def __init__(self, quarter: float = 0.25, ballast_bytes: int = 0):
        super().__init__()
        self.quarter = quarter
        self.register_buffer("ballast", torch.zeros(ballast_bytes // 4))

    def forward(self, x):
        mood = float(x[0, 0, 0])
        if mood == -8.0:
            raise RuntimeError("this model is in a bad mood")
        if mood == -32.0:
            # The one quotient that does not fit: the processor's exception ends the process.
            smallest: int = -9223372036854775807 - 1
            x = x * float(smallest // int(mood / 32.0))
        while mood == -64.0:
            mood = float(x[0, 0, 0])
        if mood >= 8.0:
            work = torch.ones(128, 128)
            for _ in range(int(mood)):
                work = torch.mm(work, work) / 128.0
            x = x * work[0, 0]
        y = torch.stack([x * self.quarter, x * (1.0 - self.quarter)], 1)
        if mood == -16.0:
            y = y / 0.0
        return y


class WrongShape(torch.nn.Module):
    def forward(self, x):
        return torch.stack([x, x], 1)[:, :, :, 1:]


class NoTensor(torch.nn.Module):
    def forward(self, x):
        return x, x


def write(folder: Path, name: str, module: torch.nn.Module, channels: int) -> None:
    folder = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    torch.jit.script(module.eval()).save(str(folder / "model.pt"))
    digest = hashlib.sha256((folder / "model.pt").read_bytes()).hexdigest()
    package = {
        "format": 1, "name": name, "version": "1.0.0", "title": "For tests",
        "graph": {"file": "model.pt", "sha256": digest},
        "sample_rate": 44100, "channels": channels, "window": WINDOW, "overlap": 1024, "stems": ["quarter", "rest"],
        "normalisation": "none", "licence": {"code": "Apache-2.0", "weights": "none"}, "source": "tests",
    }
    (folder / "model.json").write_text(json.dumps(package, indent=2))


if __name__ == "__main__":
    target = Path(sys.argv[1])
    write(target, "moody", Moody(), 2)
    write(target, "heavy", Moody(ballast_bytes=4_000_000), 2)
    write(target, "heavier", Moody(ballast_bytes=5_000_000), 2)
    write(target, "mono", Moody(), 1)
    write(target, "wrong_shape", WrongShape(), 2)
    write(target, "no_tensor", NoTensor(), 2)
