"""The whole life of a model, as its users would live it: a dataset, a campaign of trainings with
checkpoints, the best one published with all that made it, a model set, an alias that moves; and
then, years later, every question about it.

The first test does it with ci/example, the second with files of the field where they are.
"""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

import mendel_fixture

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "ci" / "example"


class PedigreeScenario(mendel_fixture.ServerTest):
    def setUp(self):
        super().setUp()
        programs = self.path("bin")
        programs.mkdir()
        (programs / "mendel").symlink_to(os.environ["MENDEL"])
        self.path("home").mkdir()

    def environment(self, **changes):
        return super().environment(
            PATH=f"{self.path('bin')}:{os.environ['PATH']}", HOME=str(self.path("home")),
            GIT_AUTHOR_NAME="A. Physicist", GIT_AUTHOR_EMAIL="a@example.org",
            GIT_COMMITTER_NAME="A. Physicist", GIT_COMMITTER_EMAIL="a@example.org", **changes)

    def git(self, *arguments, cwd):
        return subprocess.run(["git", *map(str, arguments)], cwd=cwd, env=self.environment(),
                              check=True, capture_output=True, text=True).stdout.strip()

    def repository(self):
        """A working tree with the example in it, and the bare repository that it is pushed to."""
        tree, origin = self.path("train"), self.path("train.git")
        shutil.copytree(EXAMPLE, tree, ignore=shutil.ignore_patterns("__pycache__", "kpi"))
        self.git("init", "-q", "--bare", origin, cwd=self.directory)
        self.git("init", "-q", "-b", "main", cwd=tree)
        self.git("remote", "add", "origin", origin, cwd=tree)
        (tree / ".gitignore").write_text("inputs\nout\n__pycache__\n")
        self.git("add", "-A", cwd=tree)
        self.git("commit", "-q", "-m", "train", cwd=tree)
        self.git("push", "-q", "origin", "main", cwd=tree)
        return tree

    def in_tree(self, tree, *arguments, **changes):
        done = subprocess.run([os.environ["MENDEL"], *map(str, arguments)], cwd=tree,
                              env=self.environment(**changes), capture_output=True, text=True,
                              timeout=300, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def test_of_the_example(self):
        ns = self.namespace
        subprocess.run([EXAMPLE / "train", "--tracks", "4000", "--out", self.path("sample")],
                       check=True, stdout=subprocess.DEVNULL)
        self.mendel("push", "dataset", f"{ns}/tracks", self.path("sample/data"), "--no-git")

        tree = self.repository()
        commit = self.git("rev-parse", "HEAD", cwd=tree)
        params = self.write("train/params.json", '{"degrees": [1, 2, 3, 4], "ridge": 0.02}')
        (tree / "fit.py").write_text((tree / "fit.py").read_text() + "# an afterthought\n")
        self.in_tree(tree, "pull", f"{ns}/tracks", "--to", "inputs/tracks")
        self.in_tree(tree, "run", "exec", "--name", f"{ns}/scan", "--data", f"{ns}/tracks:1",
                     "--params", params, "--env", "auto", "--include-untracked", "--keep",
                     "best:2:chi2_ndf:min", "--", "./scan", "--data", "inputs/tracks",
                     "--params", "params.json", "--out", "out")
        run = json.loads(self.in_tree(tree, "run", "list", "--namespace", ns, "--json"))
        run = run["items"][0] if isinstance(run, dict) else run[0]
        self.assertEqual(run["status"], "finished")

        model = self.mendel_json("push", "model", f"{ns}/efficiency", "--run", run["id"],
                                 "--checkpoint", "best:chi2_ndf:min", "--no-git",
                                 "--alias", "staging")
        self.assertEqual(model["run"], run["id"])
        self.assertEqual(model["source"]["commit"], commit)
        self.assertTrue(model["source"]["dirty"])
        self.assertEqual(model["hyperparameters"]["value"]["ridge"], 0.02)
        roles = {each["role"]: each for each in model["inputs"]}
        self.assertEqual(roles["trained-on"]["ref"], f"{ns}/tracks:1")
        self.assertIn("environment", roles)

        # A set, in production.
        subprocess.run([EXAMPLE / "train", "--tracks", "3000", "--out", self.path("other")],
                       check=True, stdout=subprocess.DEVNULL)
        self.mendel("push", "model", f"{ns}/pid", self.path("other/metrics.json"), "--no-git")
        self.mendel("push", "model", f"{ns}/fast", "--component", f"tracking={ns}/efficiency@staging",
                    "--component", f"pid={ns}/pid:1", "--no-git")
        self.mendel("alias", "set", f"{ns}/fast@production", "1", "--reason", "validated")
        self.ask_everything(ns, model, commit, tree)

    def ask_everything(self, ns, model, commit, tree):
        up = self.mendel("pedigree", f"{ns}/fast@production")
        for text in (f"{ns}/fast:1", f"{ns}/efficiency:1", f"{ns}/tracks:1", "trained-on",
                     "environment", "production", "staging"):
            self.assertIn(text, up)
        down = self.mendel_json("pedigree", f"{ns}/tracks:1", "--down")
        self.assertIn(f"{ns}/fast:1", json.dumps(down))
        self.assertIn("production", json.dumps(down))

        self.assertIn(f"{ns}/efficiency:1", self.mendel("search", "param.ridge < 0.03",
                                                        f"namespace:{ns}"))
        self.assertIn(f"{ns}/efficiency:1", self.mendel("search", f"commit:{commit[:8]}"))
        found = sorted(self.path("train/out/degree-4").glob("*/libefficiency.so"))
        self.assertTrue(found)
        by_file = {line for path in found for line in
                   self.mendel("search", "--file", path).splitlines()}
        self.assertTrue(any(f"{ns}/efficiency:1" in line for line in by_file), by_file)

        # Another version, with other hyperparameters: what differs?
        self.mendel("push", "model", f"{ns}/efficiency", self.path("other/metrics.json"),
                    "--data", f"{ns}/tracks:1", "--no-git", "-m", "a poor one")
        difference = self.mendel("diff", f"{ns}/efficiency:1", f"{ns}/efficiency:2")
        self.assertIn("ridge", difference)

        rebuild = self.mendel_json("verify", f"{ns}/efficiency:1", "--rebuild", "--deep")
        states = {(item["what"], item["state"]) for item in rebuild["items"]}
        for what in ("bytes", "commit", "patch", "hyperparameters"):
            self.assertIn((what, "available"), states)
        self.assertNotIn("missing", {state for _, state in states})

        again = self.mendel_json("reproduce", f"{ns}/efficiency:1", "--to", "again", "--run")
        self.assertTrue(again["reproduced"], again)
        self.assertTrue(any(name.endswith("libefficiency.so") for name in again["equal"]))
        self.assertIn("afterthought", self.path("again/source/fit.py").read_text())
        self.assertTrue(self.path("again/inputs/tracks/training.csv").is_file())

        # The commit is gone with its repository.
        self.path("train.git").rename(self.path("elsewhere.git"))
        lost = self.run_mendel("verify", f"{ns}/efficiency:1", "--rebuild", "--json", status=10)
        items = {item["what"]: item["state"] for item in json.loads(lost.stdout)["items"]
                 if item["of"] == f"{ns}/efficiency:1"}
        self.assertEqual((items["commit"], items["bytes"]), ("missing", "available"))
        self.mendel("reproduce", f"{ns}/efficiency:1", "--to", "third", "--git",
                    self.path("elsewhere.git"))
        self.assertTrue(self.path("third/README.md").is_file())

    @unittest.skipUnless(os.environ.get("MENDEL_REAL_DATA"), "MENDEL_REAL_DATA is not set")
    def test_of_files_of_the_field(self):
        ns, data = self.namespace, pathlib.Path(os.environ["MENDEL_REAL_DATA"]) / "lamarr"
        self.mendel("push", "dataset", f"{ns}/hepmc", data / "hepmc", "--no-git")
        run = self.mendel("run", "start", f"{ns}/pvsmearing", "--data", f"{ns}/hepmc:1",
                          "--params", data / "params" / "rich-wgan.yml", "--no-git",
                          "--keep", "best:1:chi2_ndf:min,last:1").strip()
        content = (data / "PrimaryVertexSmearing.db").read_bytes()
        for step, chi2 in ((1000, 9.1), (1844, 2.4), (2000, 3.3), (2100, 3.1)):
            self.mendel("run", "log", "--run", run, "--step", step, "--metric", f"chi2_ndf={chi2}")
            database = self.write(f"PrimaryVertexSmearing-{step}.db", content[:step] + content)
            self.mendel("run", "checkpoint", "--run", run, "--step", step, "--metric",
                        f"chi2_ndf={chi2}", database)
        self.mendel("run", "finish", "--run", run, "--status", "finished")
        model = self.mendel_json("push", "model", f"{ns}/pv", "--run", run, "--checkpoint",
                                 "best:chi2_ndf:min", "--no-git")
        self.mendel("pull", f"{ns}/pv", "--to", "pv")
        self.assertEqual(self.path("pv/PrimaryVertexSmearing-1844.db").read_bytes(),
                         content[:1844] + content)
        self.assertEqual([each["ref"] for each in model["inputs"]], [f"{ns}/hepmc:1"])
        self.assertEqual(model["metrics"], {"chi2_ndf": 2.4})
        self.assertIn(f"{ns}/pv:1", self.mendel("pedigree", f"{ns}/hepmc:1", "--down"))


if __name__ == "__main__":
    unittest.main()
