"""What ci/example promises: the same bytes for the same seed, and a figure of merit that tells
a good model from a poor one."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "ci" / "example"
sys.path.insert(0, str(EXAMPLE))

import evaluate  # noqa: E402
import fit  # noqa: E402
import generate  # noqa: E402
import tracks  # noqa: E402


def train(out, *arguments):
    subprocess.run([EXAMPLE / "train", "--out", out, *arguments], check=True,
                   stdout=subprocess.DEVNULL)


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in pathlib.Path(folder).rglob("*") if path.is_file()}


class Train(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.scratch = pathlib.Path(scratch.name)
        cls.trained = cls.scratch / "one"
        train(cls.trained, "--seed", "1")

    def chi2_ndf(self, folder):
        return json.loads((folder / "metrics.json").read_text())["chi2_ndf"]

    def test_makes_the_same_bytes_from_the_same_seed(self):
        train(self.scratch / "another place", "--seed", "1")
        self.assertEqual(files(self.trained), files(self.scratch / "another place"))

    def test_makes_another_model_from_another_seed(self):
        train(self.scratch / "two", "--seed", "2")
        one, two = files(self.trained), files(self.scratch / "two")
        self.assertEqual(one.keys(), two.keys())
        changed = {name for name in one if one[name] != two[name]}
        self.assertLessEqual({"data/training.csv", "efficiency.c"}, changed)
        self.assertTrue(any(name.endswith("-opt/libefficiency.so") for name in changed))
        self.assertNotIn("data/validation.csv", changed)

    def test_trains_on_the_data_that_it_is_given(self):
        again = self.scratch / "again"
        train(again, "--data", self.trained / "data")
        self.assertEqual({name: content for name, content in files(self.trained).items()
                          if not name.startswith("data/")}, files(again))

    def test_scans_degrees_without_a_run(self):
        params = self.scratch / "params.json"
        params.write_text('{"degrees": [1, 4], "ridge": 0.01}')
        environment = {name: value for name, value in os.environ.items()
                       if name != "MENDEL_RUN"}
        subprocess.run([EXAMPLE / "scan", "--data", self.trained / "data", "--params", params,
                        "--out", self.scratch / "scan"], check=True, env=environment,
                       stdout=subprocess.DEVNULL)
        self.assertGreater(self.chi2_ndf(self.scratch / "scan" / "degree-1"), 70)
        self.assertEqual(self.chi2_ndf(self.scratch / "scan" / "degree-4"),
                         self.chi2_ndf(self.trained))

    def test_compiles_what_it_fitted_for_two_platforms(self):
        models = sorted(self.trained.glob("*/libefficiency.so"))
        self.assertEqual([path.parent.name.rsplit("-", 1)[1] for path in models],
                         ["dbg", "opt"])
        for path in models:
            efficiency = evaluate.load(path)
            for momentum_gev, eta in ((2.0, 3.5), (20.0, 3.5), (20.0, 4.8)):
                self.assertAlmostEqual(efficiency(momentum_gev, eta),
                                       tracks.true_efficiency(momentum_gev, eta), delta=0.05)

    def test_describes_tracks_that_it_has_not_seen(self):
        self.assertGreater(self.chi2_ndf(self.trained), 0.5)
        self.assertLess(self.chi2_ndf(self.trained), 1.5)

    def test_finds_a_model_that_is_too_simple(self):
        train(self.scratch / "line", "--degree", "1")
        self.assertGreater(self.chi2_ndf(self.scratch / "line"), 10)


class Chi2(unittest.TestCase):
    def setUp(self):
        self.sample = list(generate.generate(seed=7, count=20000))

    def test_is_about_one_for_the_truth(self):
        goodness, bins = evaluate.chi2_ndf(tracks.true_efficiency, self.sample)
        self.assertAlmostEqual(goodness, 1.0, delta=5 * (2 / bins) ** 0.5)

    def test_is_large_for_an_efficiency_that_is_three_percent_off(self):
        goodness, bins = evaluate.chi2_ndf(
            lambda *track: 0.97 * tracks.true_efficiency(*track), self.sample)
        self.assertGreater(goodness, 1.0 + 5 * (2 / bins) ** 0.5)

    def test_refuses_a_sample_that_is_too_small(self):
        with self.assertRaises(ValueError):
            evaluate.chi2_ndf(tracks.true_efficiency, self.sample[:10])


class Fit(unittest.TestCase):
    def test_solves_a_linear_system_whose_first_pivot_is_zero(self):
        self.assertEqual(fit.solve([[0.0, 2.0], [1.0, 1.0]], [4.0, 5.0]), [3.0, 2.0])

    def test_finds_the_overall_efficiency_with_a_constant_model(self):
        sample = [tracks.Track(10.0, 3.0, number % 4 != 0) for number in range(400)]
        (weight,) = fit.fit(sample, degree=0, ridge=0.0)
        self.assertAlmostEqual(weight, 1.0986122886681098, places=9)  # log(3): 3 in 4


class Sample(unittest.TestCase):
    def test_reads_what_it_wrote(self):
        sample = list(generate.generate(seed=3, count=100))
        with tempfile.NamedTemporaryFile(suffix=".csv") as file:
            tracks.write(sample, file.name)
            self.assertEqual(tracks.read(file.name), sample)

    def test_refuses_a_file_of_something_else(self):
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
            file.write("a,b\n1,2\n")
            file.flush()
            with self.assertRaises(ValueError):
                tracks.read(file.name)


if __name__ == "__main__":
    unittest.main()
