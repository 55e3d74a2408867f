#!/usr/bin/env python3
"""Measures how well a compiled model describes tracks that it has not seen.

The tracks are sorted into bins of momentum and pseudorapidity. In each, the model says how many
should have been reconstructed; chi2_ndf is the mean of the squared deviations in units of their
binomial variance: about 1 for a model that describes the data, with a spread of
sqrt(2 / bins).
"""

import argparse
import bisect
import ctypes
import json
import os
import sys

import tracks

MOMENTUM_EDGES_GEV = (2.5, 4.0, 6.5, 10.0, 16.0, 25.0, 40.0, 65.0)
ETA_EDGES = (2.1, 2.3, 2.6, 3.1, 3.6, 4.1, 4.5, 4.7, 4.9)

# Below this, the number of tracks in a bin is too far from Gaussian for a chi2.
VARIANCE_MIN = 5.0


def load(path):
    """The model as a function of momentum in GeV/c and pseudorapidity."""
    symbol = ctypes.CDLL(os.path.abspath(path)).efficiency
    symbol.restype = ctypes.POINTER(ctypes.c_float)
    symbol.argtypes = [ctypes.POINTER(ctypes.c_float)] * 2

    def efficiency(momentum_gev, eta):
        out = (ctypes.c_float * 1)()
        symbol(out, (ctypes.c_float * 2)(momentum_gev, eta))
        return out[0]

    return efficiency


def chi2_ndf(efficiency, sample):
    """The mean over the bins, and how many bins there were."""
    bins = {}
    for track in sample:
        place = (bisect.bisect(MOMENTUM_EDGES_GEV, track.momentum_gev),
                 bisect.bisect(ETA_EDGES, track.eta))
        probability = efficiency(track.momentum_gev, track.eta)
        excess, variance = bins.get(place, (0.0, 0.0))
        bins[place] = (excess + track.reconstructed - probability,
                       variance + probability * (1.0 - probability))
    pulls = [excess**2 / variance for excess, variance in bins.values()
             if variance >= VARIANCE_MIN]
    if not pulls:
        raise ValueError("too few tracks: no bin has enough of them")
    return sum(pulls) / len(pulls), len(pulls)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE too")
    parser.add_argument("model", help="the shared object")
    parser.add_argument("tracks", help="the CSV file to compare with")
    arguments = parser.parse_args()
    sample = tracks.read(arguments.tracks)
    try:
        goodness, bins = chi2_ndf(load(arguments.model), sample)
    except ValueError as error:
        sys.exit(f"{arguments.tracks}: {error}")
    metrics = {"chi2_ndf": round(goodness, 4), "bins": bins, "tracks": len(sample)}
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(metrics, file, indent=1)
            file.write("\n")
    print(f"chi2_ndf {metrics['chi2_ndf']:.4f} in {bins} bins of {len(sample)} tracks")


if __name__ == "__main__":
    main()
