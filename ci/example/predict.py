#!/usr/bin/env python3
"""Asks a compiled model for the efficiency of one track, as a simulation job does."""

import argparse

import evaluate


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="the shared object")
    parser.add_argument("momentum_gev", type=float)
    parser.add_argument("eta", type=float)
    arguments = parser.parse_args()
    efficiency = evaluate.load(arguments.model)(arguments.momentum_gev, arguments.eta)
    print(f"a track of {arguments.momentum_gev:g} GeV/c at pseudorapidity {arguments.eta:g} "
          f"is reconstructed with probability {efficiency:.3f}")


if __name__ == "__main__":
    main()
