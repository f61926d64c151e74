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
several      two graphs: b.pt is moody and makes the stems quarter and rest, a.pt makes the one between them, 4 times
             the input, and writes into its input
few_stems    like several, but b.pt makes one stem where two are named
conv         two convolutions with random weights, whose results may depend on the batch in their last bits
foreign      a trace as a machine with a GPU makes it: cuda:0 is written into the graph; stems are 1/4 and 3/4 of the input
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


class Overwriting(torch.nn.Module):
    def forward(self, x):
        x.mul_(4.0)
        return x.unsqueeze(1).clone()


class OverwritingBoth(torch.nn.Module):
    def forward(self, x):
        x.mul_(4.0)
        return torch.stack([x, x], 1)


class NoTensor(torch.nn.Module):
    def forward(self, x):
        return x, x


class Conv(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.wide = torch.nn.Conv1d(2, 16, 9, padding=4)
        self.narrow = torch.nn.Conv1d(16, 4, 9, padding=4)

    def forward(self, x):
        return self.narrow(torch.relu(self.wide(x))).reshape(-1, 2, 2, x.shape[2])


class MakesTensors(torch.nn.Module):
    def forward(self, x):
        return x.unsqueeze(1) * (0.25 + 0.5 * torch.arange(2.0).reshape(2, 1, 1))


def foreign() -> torch.jit.ScriptModule:
    traced = torch.jit.trace(MakesTensors(), torch.zeros(1, 2, WINDOW))
    moved = 0
    for node in traced.graph.findAllNodes("prim::Constant"):
        if node.output().type().kind() == "DeviceObjType":
            node.s_("value", "cuda:0")
            moved += 1
    assert moved > 0
    return traced


def save(module: torch.nn.Module, path: Path) -> dict:
    graph = module if isinstance(module, torch.jit.ScriptModule) else torch.jit.script(module.eval())
    graph.save(str(path))
    return {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def describe(folder: Path, channels: int, stems: list, **fields) -> None:
    package = {
        "name": folder.name, "version": "1.0.0", "title": "For tests",
        "sample_rate": 44100, "channels": channels, "window": WINDOW, "overlap": 1024, "stems": stems,
        "normalisation": "none", "licence": {"code": "Apache-2.0", "weights": "none"}, "source": "tests",
    }
    (folder / "model.json").write_text(json.dumps(dict(package, **fields), indent=2))


def write(folder: Path, name: str, module: torch.nn.Module, channels: int) -> None:
    folder = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    describe(folder, channels, ["quarter", "rest"], format=1, graph=save(module, folder / "model.pt"))


def write_several(folder: Path, name: str, two: torch.nn.Module) -> None:
    folder = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    graphs = [dict(save(Overwriting(), folder / "a.pt"), stems=["four"]),
              dict(save(two, folder / "b.pt"), stems=["quarter", "rest"])]
    describe(folder, 2, ["quarter", "four", "rest"], format=2, graphs=graphs)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    write(target, "moody", Moody(), 2)
    write(target, "heavy", Moody(ballast_bytes=4_000_000), 2)
    write(target, "heavier", Moody(ballast_bytes=5_000_000), 2)
    write(target, "mono", Moody(), 1)
    write(target, "wrong_shape", WrongShape(), 2)
    write(target, "overwriting", OverwritingBoth(), 2)
    write(target, "no_tensor", NoTensor(), 2)
    write(target, "conv", Conv(), 2)
    write(target, "foreign", foreign(), 2)
    write_several(target, "several", Moody())
    write_several(target, "few_stems", Overwriting())
