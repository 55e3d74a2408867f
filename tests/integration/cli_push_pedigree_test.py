"""What mendel push records of where a version came from."""

import hashlib
import json
import os
import pathlib
import subprocess
import unittest

import mendel_fixture

REAL_DATA = os.environ.get("MENDEL_REAL_DATA")
CI_VARIABLES = ("GITLAB_CI", "GITHUB_ACTIONS")


class PedigreeTest(mendel_fixture.ServerTest):
    def setUp(self):
        super().setUp()
        self.write("out/model.bin", "weights")

    def environment(self, **changes):
        plain = {name: value for name, value in super().environment(**changes).items()
                 if name not in CI_VARIABLES}
        return plain | {"HOME": str(self.directory)}

    def push(self, *arguments, name="x", kind="model", **options):
        return self.mendel_json("push", kind, f"{self.namespace}/{name}", *arguments, **options)

    def refused(self, *arguments, status=1):
        return self.run_mendel("push", "model", f"{self.namespace}/x", "out", *arguments,
                               status=status).stderr

    def show(self, reference="x"):
        return self.mendel_json("show", f"{self.namespace}/{reference}")

    def git(self, *arguments, at="."):
        environment = os.environ | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
        return subprocess.run(
            ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", *arguments],
            cwd=self.path(at), env=environment, check=True, capture_output=True,
            text=True).stdout.strip()

    def make_repository(self, at="."):
        self.path(at).mkdir(exist_ok=True)
        self.git("init", "-q", "-b", "main", at=at)
        self.write(f"{at}/train.py", "print(1)\n")
        self.write(f"{at}/.gitignore", "/out\n")
        self.git("add", "train.py", ".gitignore", at=at)
        self.git("commit", "-q", "-m", "first", at=at)
        return self.git("rev-parse", "HEAD", at=at)


class HyperparametersTest(PedigreeTest):
    def test_are_the_same_in_either_notation(self):
        self.write("a.yml", "# the first\nlr: 1e-3\nlayers: &l [128, 128]\nmore: *l\n")
        self.write("a.json", '{"more": [128, 128], "layers": [128, 128.0], "lr": 0.001}')
        first = self.push("out", "--params", "a.yml")
        again = self.push("out", "--params", "a.json")
        self.assertEqual(first["hyperparameters"]["value"],
                         {"lr": 0.001, "layers": [128, 128], "more": [128, 128]})
        self.assertEqual((again["version"], again["created"]), (1, False))

    def test_come_from_standard_input(self):
        done = subprocess.run([os.environ["MENDEL"], "push", "model", f"{self.namespace}/x", "out",
                               "--params", "-"], cwd=self.directory, env=self.environment(),
                              input="lr: 2\n", capture_output=True, text=True, check=True)
        self.assertIn(":1", done.stdout)
        self.assertEqual(self.show()["hyperparameters"]["value"], {"lr": 2})

    def test_are_refused_with_the_place_before_anything_is_sent(self):
        self.write("nan.yml", "training:\n  lr: .nan\n")
        before = self.server.log_text().count("request=")
        for arguments in ((), ("--dry-run",)):
            self.assertIn("/training/lr (line 2)", self.refused("--params", "nan.yml", *arguments))
        self.assertEqual(self.server.log_text().count("request="), before)
        self.push("out", "--params", "nan.yml", "--params-lossy=string")
        self.assertEqual(self.show()["hyperparameters"]["value"], {"training": {"lr": ".nan"}})

    @unittest.skipUnless(REAL_DATA, "MENDEL_REAL_DATA names no folder with real input")
    def test_of_the_users_are_taken(self):
        for file in sorted((pathlib.Path(REAL_DATA) / "lamarr/params").iterdir()):
            version = self.push("out", "--params", file)
            self.assertTrue(version["created"])
            self.assertTrue(version["hyperparameters"]["value"])


class InputsTest(PedigreeTest):
    def test_are_frozen_in_their_roles(self):
        self.write("data/a", "1")
        data = self.push("data", name="data", kind="dataset")
        self.push("out", name="parent")
        image = "docker://example.org/train@sha256:" + "a" * 64
        self.push("out", "--data", f"calib={self.namespace}/data", "--validated-on",
                  f"{self.namespace}/data:1", "--parent", f"{self.namespace}/parent@latest",
                  "--env", image, "--data", "root://eos.example.org//f.root")
        inputs = {(edge["role"], edge.get("ref", edge.get("uri"))): edge
                  for edge in self.show()["inputs"]}
        calib = inputs["trained-on", f"{self.namespace}/data:1"]
        self.assertEqual((calib["digest"], calib["name"]), (data["digest"], "calib"))
        self.assertIn(("validated-on", f"{self.namespace}/data:1"), inputs)
        self.assertIn(("parent", f"{self.namespace}/parent:1"), inputs)
        self.assertEqual(inputs["environment", image]["digest"], "sha256:" + "a" * 64)
        self.assertNotIn("digest", inputs["trained-on", "root://eos.example.org//f.root"])

    def test_that_do_not_exist_are_refused(self):
        for arguments in ((), ("--dry-run",)):
            self.refused("--data", f"{self.namespace}/absent", *arguments, status=10)
        self.assertIn("--parent no-reference", self.refused("--parent", "no-reference"))
        self.mendel("show", f"{self.namespace}/x", status=10)

    def test_components_make_a_set(self):
        self.push("out", name="trk")
        self.write("out/model.bin", "other")
        self.push("out", name="pid")
        made = self.push("--component", f"tracking={self.namespace}/trk", "--component",
                         f"pid={self.namespace}/pid:1")
        self.assertEqual([(part["name"], part["ref"]) for part in made["components"]],
                         [("pid", f"{self.namespace}/pid:1"),
                          ("tracking", f"{self.namespace}/trk:1")])
        self.mendel("pull", f"{self.namespace}/x", "--to", "set")
        self.assertEqual(self.path("set/tracking/model.bin").read_text(), "weights")
        self.assertEqual(self.path("set/pid/model.bin").read_text(), "other")

    def test_components_stand_beside_files(self):
        self.push("out", name="trk")
        made = self.push("out", "--component", f"tracking={self.namespace}/trk")
        self.assertEqual(len(made["components"]), 1)
        again = self.push("out", "--component", f"tracking={self.namespace}/trk:1")
        self.assertFalse(again["created"])
        self.refused("--component", f"tracking={self.namespace}/absent", status=10)


class SourceTest(PedigreeTest):
    def test_of_a_clean_tree_is_its_commit(self):
        commit = self.make_repository()
        self.git("remote", "add", "origin", "https://me:secret@git.example.org/a.git")
        self.git("tag", "v1")
        self.push("out", "--require-clean")
        source = self.show()["source"]
        self.assertEqual(source["commit"], commit)
        self.assertEqual(source["repository"], "https://git.example.org/a.git")
        self.assertEqual((source["branch"], source["tags"], source["dirty"]),
                         ("main", ["v1"], False))
        self.assertEqual(source["author"], "Ada <ada@example.org>")
        self.assertNotIn("patch", source)

    def test_of_a_dirty_tree_has_a_patch_that_applies(self):
        self.make_repository()
        self.write("train.py", "print(2)\n")
        self.write("notes", "12345")
        self.push("out")
        source = self.show()["source"]
        self.assertTrue(source["dirty"])
        self.assertEqual(source["untracked"], [{"path": "notes", "size": 5}])
        status, _, patch = self.server.request(
            "GET", f"/api/v1/models/{self.namespace}/x/versions/1/patch")
        self.assertEqual((status, len(patch)), (200, source["patch_size"]))
        self.write("patch", patch)
        self.git("worktree", "add", "-q", "--detach", "copy")
        self.git("apply", "../patch", at="copy")
        self.assertEqual(self.path("copy/train.py").read_text(), "print(2)\n")
        self.assertIn("--require-clean", self.refused("--require-clean", status=11))

    def test_another_patch_makes_another_version(self):
        self.make_repository()
        self.push("out")
        self.write("train.py", "print(2)\n")
        self.assertEqual(self.push("out")["version"], 2)
        self.assertFalse(self.push("out")["created"])
        self.write("more.py", "print(3)\n")
        self.assertFalse(self.push("out")["created"])
        self.assertEqual(self.push("out", "--include-untracked")["version"], 3)

    def test_is_that_of_the_directory_that_is_named_or_none(self):
        commit = self.make_repository("elsewhere")
        self.push("out")
        self.assertNotIn("source", self.show())
        self.push("out", "--git", "elsewhere")
        self.assertEqual(self.show()["source"]["commit"], commit)
        self.assertIn("no git repository", self.refused("--git", "out", status=10))
        self.make_repository()
        self.push("out", "--no-git")
        self.assertNotIn("source", self.show())

    def test_without_a_commit_is_none_and_says_so(self):
        self.git("init", "-q")
        done = self.run_mendel("push", "model", f"{self.namespace}/x", "out")
        self.assertIn("no commit yet", done.stderr)
        self.assertNotIn("source", self.show())

    def test_does_not_take_credentials_along(self):
        self.make_repository()
        self.write("train.py", "token = 'glpat-" + "x" * 20 + "'\n")
        for arguments in ((), ("--dry-run",)):
            self.assertIn("train.py:1: what looks like a GitLab token",
                          self.refused(*arguments))
        self.mendel("show", f"{self.namespace}/x", status=10)

    def test_names_the_job_of_ci(self):
        self.make_repository()
        done = subprocess.run(
            [os.environ["MENDEL"], "push", "model", f"{self.namespace}/x", "out", "--json"],
            cwd=self.directory, capture_output=True, text=True, check=True,
            env=self.environment() | {"GITLAB_CI": "true", "CI_JOB_URL": "https://ci/2",
                                      "CI_PIPELINE_URL": "https://ci/1"})
        self.assertEqual(json.loads(done.stdout)["source"]["ci"],
                         {"pipeline_url": "https://ci/1", "job_url": "https://ci/2"})


class RunTest(PedigreeTest):
    def request(self, method, path, body, content_type="application/json"):
        status, _, answer = self.server.request(method, path, body,
                                                {"Content-Type": content_type})
        self.assertIn(status, (200, 201), answer)
        return json.loads(answer)

    def start_run(self, commit):
        return self.request("POST", "/api/v1/runs", json.dumps({
            "namespace": self.namespace, "name": "wgan", "hyperparameters": {"lr": 2},
            "source": {"commit": commit, "dirty": False}}).encode())["id"]

    def test_says_what_the_version_was_made_from(self):
        run = self.start_run("a" * 40)
        self.make_repository()
        made = self.push("out", MENDEL_RUN=run)
        self.assertEqual(made["run"], run)
        self.assertEqual(made["source"]["commit"], "a" * 40)
        self.assertEqual(made["hyperparameters"]["value"], {"lr": 2})
        made = self.push("out", "--run", run, "--git", ".")
        self.assertEqual(made["source"]["commit"], self.git("rev-parse", "HEAD"))

    def test_has_checkpoints_to_publish(self):
        run = self.start_run("b" * 40)
        digest = "sha256:" + hashlib.sha256(b"best").hexdigest()
        self.request("PUT", f"/api/v1/namespaces/{self.namespace}/blobs/{digest}", b"best",
                     "application/octet-stream")
        self.request("POST", f"/api/v1/runs/{run}/checkpoints", json.dumps({
            "step": 7, "files": [{"path": "gan.bin", "digest": digest}],
            "metrics": {"chi2_ndf": 2.4}}).encode())
        made = self.push("--run", run, "--checkpoint", "best:chi2_ndf:min")
        self.assertEqual((made["run"], made["source"]["commit"]), (run, "b" * 40))
        self.assertEqual(self.mendel("cat", f"{self.namespace}/x", "gan.bin"), "best")
        self.mendel("push", "model", f"{self.namespace}/x", "--run", run, "--checkpoint",
                    "step:8", status=10)


class EnvironmentTest(PedigreeTest):
    def test_is_recorded_once_and_is_an_input(self):
        self.push("out", "--env", "auto", LOADEDMODULES="cuda/11.8")
        reference = f"{self.namespace}/x-env:1"
        self.assertEqual([(edge["role"], edge["ref"]) for edge in self.show()["inputs"]],
                         [("environment", reference)])
        facts = json.loads(self.mendel("cat", reference, "environment.json"))
        self.assertEqual(facts["modules"], ["cuda/11.8"])
        self.assertEqual(facts["platform"]["system"], "Linux")
        again = self.push("out", "--env", "auto", LOADEDMODULES="cuda/11.8")
        self.assertEqual((again["version"], again["created"]), (1, False))
        other = self.push("out", "--env", "auto", LOADEDMODULES="cuda/12.1")
        self.assertEqual(other["inputs"][0]["ref"], f"{self.namespace}/x-env:2")

    def test_is_recorded_where_there_is_nothing(self):
        done = subprocess.run(
            [os.environ["MENDEL"], "push", "model", f"{self.namespace}/x", "out", "--env", "auto"],
            cwd=self.directory, capture_output=True, text=True, check=True,
            env=self.environment() | {"PATH": "/nonexistent", "VIRTUAL_ENV": "/nonexistent",
                                      "CONDA_PREFIX": "/nonexistent"})
        self.assertIn(":1", done.stdout)
        files = self.mendel_json("files", f"{self.namespace}/x-env")["files"]
        self.assertEqual([file["path"] for file in files], ["environment.json"])

    def test_is_not_made_by_a_dry_run(self):
        self.push("out", "--env", "auto", "--dry-run")
        self.mendel("show", f"{self.namespace}/x-env", status=10)


if __name__ == "__main__":
    unittest.main()
