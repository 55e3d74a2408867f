"""Tracks: what the example's data are, and how they are kept (CSV, one track a line)."""

import csv
import math
from typing import NamedTuple

COLUMNS = ("momentum_gev", "eta", "reconstructed")


class Track(NamedTuple):
    momentum_gev: float
    eta: float
    reconstructed: bool


def true_efficiency(momentum_gev, eta):
    """The probability that the imaginary detector reconstructs a track: slow tracks scatter too
    much (as 1/momentum), and its acceptance fades towards pseudorapidity 2 and 5."""
    score = 3.5 - 9.0 / momentum_gev - ((eta - 3.5) / 1.05) ** 4
    return 1.0 / (1.0 + math.exp(-score))


def write(tracks, path):
    with open(path, "w", newline="", encoding="ascii") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for track in tracks:
            writer.writerow((f"{track.momentum_gev:.4f}", f"{track.eta:.4f}",
                             int(track.reconstructed)))


def read(path):
    with open(path, newline="", encoding="ascii") as file:
        rows = csv.reader(file)
        header = tuple(next(rows, ()))
        if header != COLUMNS:
            raise ValueError(f"{path}: the first line is not {','.join(COLUMNS)}")
        return [Track(float(momentum), float(eta), reconstructed == "1")
                for momentum, eta, reconstructed in rows]
