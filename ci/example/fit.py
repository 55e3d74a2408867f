#!/usr/bin/env python3
"""Fits the reconstruction efficiency of tracks and writes it as C.

The model is a logistic regression on the monomials of log(momentum) and pseudorapidity up to a
degree, fitted by Newton's method (iteratively reweighted least squares) with a small ridge
term that keeps the linear systems solvable.
"""

import argparse
import json
import math

import tracks

# The centre and half-width that bring log(momentum) and eta to about [-1, 1].
LOG_MOMENTUM = (2.5, 2.1)
ETA = (3.5, 1.6)

NEWTON_STEPS_MAX = 50
NEWTON_TOLERANCE = 1e-9


def monomials(degree):
    """The exponents (of log(momentum), of eta) of each term."""
    return [(i, total - i) for total in range(degree + 1) for i in range(total + 1)]


def features(track, terms):
    x = (math.log(track.momentum_gev) - LOG_MOMENTUM[0]) / LOG_MOMENTUM[1]
    y = (track.eta - ETA[0]) / ETA[1]
    return [x**i * y**j for i, j in terms]


def solve(matrix, vector):
    """Gaussian elimination with partial pivoting."""
    size = len(vector)
    rows = [list(row) + [value] for row, value in zip(matrix, vector)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for row in range(column + 1, size):
            factor = rows[row][column] / rows[column][column]
            for k in range(column, size + 1):
                rows[row][k] -= factor * rows[column][k]
    solution = [0.0] * size
    for row in reversed(range(size)):
        known = sum(rows[row][k] * solution[k] for k in range(row + 1, size))
        solution[row] = (rows[row][size] - known) / rows[row][row]
    return solution


def newton_step(points, weights, ridge):
    size = len(weights)
    gradient = [-ridge * weight for weight in weights]
    hessian = [[ridge if row == column else 0.0 for column in range(size)]
               for row in range(size)]
    for values, reconstructed in points:
        score = sum(map(float.__mul__, values, weights))
        efficiency = 1.0 / (1.0 + math.exp(-score))
        residual = reconstructed - efficiency
        curvature = efficiency * (1.0 - efficiency)
        for row, value in enumerate(values):
            gradient[row] += residual * value
            scaled = curvature * value
            line = hessian[row]
            for column in range(row + 1):
                line[column] += scaled * values[column]
    for row in range(size):
        for column in range(row):
            hessian[column][row] = hessian[row][column]
    return solve(hessian, gradient)


def fit(sample, degree, ridge):
    """The weight of each term of monomials(degree)."""
    terms = monomials(degree)
    points = [(features(track, terms), track.reconstructed) for track in sample]
    weights = [0.0] * len(terms)
    for _ in range(NEWTON_STEPS_MAX):
        step = newton_step(points, weights, ridge)
        weights = [weight + change for weight, change in zip(weights, step)]
        if max(map(abs, step)) < NEWTON_TOLERANCE:
            return weights
    raise ArithmeticError(f"the fit did not converge in {NEWTON_STEPS_MAX} steps")


def as_c(weights, degree):
    terms = "".join(f"  score += {weight!r} * x[{i}] * y[{j}];\n"
                    for weight, (i, j) in zip(weights, monomials(degree)))
    return f"""\
/* The probability that a track is reconstructed, as fitted by ci/example.
   in: momentum in GeV/c, pseudorapidity; out: the probability. */
#include <math.h>

float* efficiency(float* out, const float* in) {{
  double x[{degree + 1}] = {{1.0}};
  double y[{degree + 1}] = {{1.0}};
  double score = 0.0;
  for (int power = 1; power <= {degree}; ++power) {{
    x[power] = x[power - 1] * (log(in[0]) - {LOG_MOMENTUM[0]}) / {LOG_MOMENTUM[1]};
    y[power] = y[power - 1] * (in[1] - {ETA[0]}) / {ETA[1]};
  }}
{terms}\
  out[0] = (float)(1.0 / (1.0 + exp(-score)));
  return out;
}}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--params", required=True,
                        help='hyperparameters: a JSON document {"degree": 4, "ridge": 0.01}')
    parser.add_argument("tracks", help="the CSV file to learn from")
    parser.add_argument("source", help="the C file to write")
    arguments = parser.parse_args()
    with open(arguments.params, encoding="utf-8") as file:
        params = json.load(file)
    weights = fit(tracks.read(arguments.tracks), params["degree"], params["ridge"])
    with open(arguments.source, "w", encoding="ascii") as file:
        file.write(as_c(weights, params["degree"]))


if __name__ == "__main__":
    main()
