#!/usr/bin/env python3
"""Makes a sample of tracks from a seed; the same seed gives the same bytes."""

import argparse
import math
import random

import tracks

MOMENTUM_GEV = (1.5, 100.0)
ETA = (1.9, 5.1)


def generate(seed, count):
    dice = random.Random(seed)
    low, high = (math.log(bound) for bound in MOMENTUM_GEV)
    for _ in range(count):
        # Rounded as they are written, so that the truth is that of the numbers in the file.
        momentum_gev = round(math.exp(dice.uniform(low, high)), 4)
        eta = round(dice.uniform(*ETA), 4)
        yield tracks.Track(momentum_gev, eta,
                           dice.random() < tracks.true_efficiency(momentum_gev, eta))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--tracks", type=int, required=True, help="how many")
    parser.add_argument("file", help="the CSV file to write")
    arguments = parser.parse_args()
    tracks.write(generate(arguments.seed, arguments.tracks), arguments.file)


if __name__ == "__main__":
    main()
