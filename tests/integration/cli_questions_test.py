"""The commands that ask: search, pedigree, diff, show, list and commits, on a small pedigree."""

import hashlib
import json
import os
import random
import shutil
import subprocess
import unittest

import mendel_fixture


class QuestionsTest(mendel_fixture.ServerTest):
    def setUp(self):
        super().setUp()
        self.repository = self.path("repository")
        self.git("init", "-q", "-b", "main", ".")
        self.first = self.commit("first", "a")
        self.second = self.commit("tune the learning rate", "b")

    def git(self, *arguments):
        self.repository.mkdir(exist_ok=True)
        who = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org",
               "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org"}
        return subprocess.run(["git", *arguments], cwd=self.repository, check=True,
                              capture_output=True, text=True, env=os.environ | who).stdout.strip()

    def commit(self, message, content):
        (self.repository / "train.py").write_text(content)
        self.git("add", ".")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def publish(self, kind, name, files, **body):
        """Publishes contents by path over HTTP, whatever push can do; its reference."""
        listed = []
        for path, content in files.items():
            digest = "sha256:" + hashlib.sha256(content).hexdigest()
            self.server.request("PUT", f"/api/v1/namespaces/{self.namespace}/blobs/{digest}",
                                content)
            listed.append({"path": path, "digest": digest})
        if listed or "components" not in body:
            body["files"] = listed
        status, _, answer = self.server.request(
            "POST", f"/api/v1/{kind}s/{self.namespace}/{name}/versions",
            json.dumps(body).encode())
        self.assertEqual(status, 201, answer)
        answer = json.loads(answer)
        return f"{answer['artifact']}:{answer['version']}"

    def make_pedigree(self):
        """Two datasets, two versions of a model, and a set; their references by short names."""
        large = random.Random(1).randbytes(400_000)
        calib = self.publish("dataset", "calib", {"a.root": b"events"})
        calib2 = self.publish("dataset", "calib", {"a.root": b"more events"})
        old = self.publish(
            "model", "trk", {"weights": large, "notes.txt": b"old"},
            message="first try", metrics={"chi2_ndf": 3.5},
            hyperparameters={"training": {"lr": 0.01, "epochs": 20}},
            inputs=[{"role": "trained-on", "ref": calib}],
            source={"repository": "https://example.org/train.git", "commit": self.first,
                    "branch": "main", "dirty": False})
        new = self.publish(
            "model", "trk", {"weights": large + b"tail", "extra": b"x"},
            message="retrained", metrics={"chi2_ndf": 2.4}, labels={"data-taking": "2016MU"},
            hyperparameters={"training": {"lr": 0.001, "epochs": 20}},
            inputs=[{"role": "trained-on", "ref": calib2},
                    {"role": "environment", "uri": "docker://registry.example.org/py:3.11"}],
            source={"repository": "https://example.org/train.git", "commit": self.second,
                    "branch": "main", "dirty": True},
            aliases=["production"])
        set1 = self.publish("model", "lamarr", {},
                            components=[{"name": "tracking", "ref": old}])
        set2 = self.publish("model", "lamarr", {},
                            components=[{"name": "tracking", "ref": new}])
        return {"calib": calib, "calib2": calib2, "old": old, "new": new, "set1": set1,
                "set2": set2}

    def references(self, *arguments):
        return [item["ref"] for item in self.mendel_json("search", *arguments)["items"]]

    def test_search_finds_versions_by_what_made_them(self):
        refs = self.make_pedigree()
        scope = f"namespace:{self.namespace}"
        self.assertEqual(self.references(scope, "param.training.lr < 0.005"), [refs["new"]])
        self.assertEqual(self.references(scope, "metric.chi2_ndf<9", "NOT", "alias:production"),
                         [refs["old"]])
        self.assertEqual(self.references(scope, "commit:" + self.second[:7]), [refs["new"]])
        self.assertEqual(self.references(scope, "kind:dataset"), [refs["calib2"], refs["calib"]])
        table = self.mendel("search", scope, "retrained")
        self.assertIn(refs["new"], table)
        self.assertIn("chi2_ndf=2.4", table)
        self.assertEqual(self.mendel("search", scope, "no-such-word"), "")

    def test_search_finds_what_contains_the_file_in_hand(self):
        refs = self.make_pedigree()
        held = self.write("copy-of-a-file", b"old")
        self.assertEqual(self.references("--file", held, f"namespace:{self.namespace}",
                                         "NOT name:lamarr"), [refs["old"]])
        self.assertEqual(self.references("--file", self.write("unknown", b"unknown")), [])
        self.assertIn("absent", self.run_mendel("search", "--file", "absent", status=10).stderr)

    def test_search_goes_on_to_the_next_page_and_says_that_there_are_more(self):
        for number in range(5):
            self.publish("model", "many", {"f": str(number).encode()})
        scope = f"namespace:{self.namespace}"
        two = self.run_mendel("search", scope, "--limit", 2)
        self.assertEqual(len(two.stdout.splitlines()), 3)
        self.assertIn("more", two.stderr)
        self.assertEqual(len(self.references(scope, "--limit", 5)), 5)

    def test_search_says_where_it_is_wrong(self):
        wrong = self.run_mendel("search", "kind:model AND", "metric.x<<3", status=1)
        self.assertIn("at character 25", wrong.stderr)
        self.assertEqual(wrong.stdout, "")
        problem = json.loads(self.run_mendel("search", "a OR", "--json", status=1).stderr)
        self.assertEqual(problem["type"], "/problems/invalid-argument")
        self.assertIn("param.a.b < 0.001", self.mendel("search", "--help"))

    def test_pedigree_draws_what_made_a_version(self):
        refs = self.make_pedigree()
        tree = self.mendel("pedigree", refs["set2"])
        self.assertEqual(tree, (
            f"{refs['set2']} (model)\n"
            f"`- component tracking = {refs['new']} (model) @production commit "
            f"{self.second[:12]}\n"
            f"   |- trained-on {refs['calib2']} (dataset)\n"
            "   `- environment docker://registry.example.org/py:3.11 (external, unverifiable)\n"))
        shallow = self.mendel("pedigree", refs["set2"], "--depth", 1)
        self.assertNotIn("trained-on", shallow)

    def test_pedigree_down_shows_what_a_dataset_reached(self):
        refs = self.make_pedigree()
        tree = self.mendel("pedigree", refs["calib2"], "--down")
        self.assertEqual(tree, (
            f"{refs['calib2']} (dataset)\n"
            f"`- trained-on <- {refs['new']} (model) @production commit {self.second[:12]}\n"
            f"   `- component tracking <- {refs['set2']} (model)\n"))
        pedigree = self.mendel_json("pedigree", refs["calib2"], "--down")
        self.assertEqual({node["ref"] for node in pedigree["nodes"]},
                         {refs["calib2"], refs["new"], refs["set2"]})

    def test_pedigree_draws_unicode_only_on_a_terminal_that_can(self):
        refs = self.make_pedigree()
        command = f"{os.environ['MENDEL']} pedigree {refs['set2']}"
        for locale, branch in (("C.UTF-8", "├─"), ("C", "|-")):
            done = subprocess.run(["script", "-qec", command, "/dev/null"],
                                  env=self.environment(LC_ALL=locale), capture_output=True,
                                  stdin=subprocess.DEVNULL, check=True, timeout=60)
            self.assertIn(branch, done.stdout.decode())

    def test_pedigree_writes_what_graphviz_reads(self):
        refs = self.make_pedigree()
        dot = self.mendel("pedigree", refs["set2"], "--format", "dot")
        self.assertIn(f'"{refs["set2"]}" -> "{refs["new"]}" [label="component tracking"];', dot)
        if shutil.which("dot") is None:
            self.skipTest("Graphviz is not installed")
        drawn = subprocess.run(["dot", "-Tplain"], input=dot, text=True, capture_output=True,
                               check=True).stdout
        self.assertEqual(sum(line.startswith("node ") for line in drawn.splitlines()), 4)

    def test_diff_tells_all_that_differs(self):
        refs = self.make_pedigree()
        diff = self.mendel_json("diff", refs["old"], refs["new"], "--git", self.repository)
        files = {item["path"]: item for item in diff["items"]}
        self.assertEqual({path: item["change"] for path, item in files.items()},
                         {"extra": "added", "notes.txt": "removed", "weights": "changed"})
        self.assertEqual(files["weights"]["size_after"], 400_004)
        self.assertGreater(files["weights"]["bytes_changed"], 0)
        self.assertLess(files["weights"]["bytes_changed"], 400_004)
        self.assertEqual(diff["hyperparameters"],
                         [{"path": "training.lr", "before": 0.01, "after": 0.001}])
        self.assertEqual(diff["inputs"], [
            {"role": "trained-on", "before": refs["calib"], "after": refs["calib2"]},
            {"role": "environment", "after": "docker://registry.example.org/py:3.11"}])
        self.assertEqual(diff["metrics"], [{"name": "chi2_ndf", "before": 3.5, "after": 2.4}])
        self.assertEqual(diff["labels"], [{"name": "data-taking", "after": "2016MU"}])
        self.assertEqual(diff["source"]["before"]["commit"], self.first)
        self.assertEqual([(entry["commit"], entry["summary"])
                          for entry in diff["source"]["gained"]],
                         [(self.second, "tune the learning rate")])
        self.assertEqual(diff["source"]["lost"], [])

        text = self.mendel("diff", refs["old"], refs["new"], "--git", self.repository)
        for line in (r"training\.lr +0\.01 +-> +0\.001", r"chi2_ndf +3\.5 +-> +2\.4",
                     rf"  {self.first[:12]} on main -> {self.second[:12]} on main \(dirty\)",
                     rf"  \+ {self.second[:12]} tune the learning rate"):
            self.assertRegex(text, line)

    def test_diff_of_two_sets_says_which_component_moved(self):
        refs = self.make_pedigree()
        diff = self.mendel_json("diff", refs["set1"], refs["set2"])
        self.assertEqual(diff["components"], [
            {"name": "tracking", "before": refs["old"], "after": refs["new"]}])
        self.assertIn("tracking/weights", {item["path"] for item in diff["items"]})

    def test_diff_of_the_same_finds_nothing(self):
        refs = self.make_pedigree()
        self.assertIn("the files are the same", self.mendel("diff", refs["old"], refs["old"]))
        diff = self.mendel_json("diff", refs["old"], refs["old"])
        self.assertEqual([name for name, value in diff.items()
                          if value and name not in ("before", "after")], [])

    def test_diff_without_the_repository_shows_the_commits_alone(self):
        refs = self.make_pedigree()
        diff = self.mendel_json("diff", refs["old"], refs["new"])
        self.assertNotIn("gained", diff["source"])

    def test_show_tells_where_a_version_comes_from(self):
        refs = self.make_pedigree()
        self.server.request(
            "POST", f"/api/v1/models/{self.namespace}/trk/versions/2/evaluations",
            json.dumps({"metrics": {"chi2_ndf": 2.6}, "dataset": refs["calib"],
                        "measured_at": "2024-02-13T00:00:00Z"}).encode())
        shown = self.mendel("show", refs["new"])
        for line in (r"commit +%s \(dirty\)" % self.second, r"branch +main",
                     r"repository +https://example.org/train.git",
                     r"trained-on +" + refs["calib2"],
                     r"environment +docker://.* \(external, unverifiable\)",
                     r"hyperparameters sha256:", r" training.lr = 0.001",
                     r"evaluations +2024-02-13T00:00:00Z on %s chi2_ndf=2.6" % refs["calib"],
                     r"aliases +production", r"metrics +chi2_ndf = 2.4"):
            self.assertRegex(shown, line)
        self.assertEqual(
            self.mendel_json("show", refs["new"])["evaluations"][0]["metrics"],
            {"chi2_ndf": 2.6})
        self.assertRegex(self.mendel("show", refs["set2"]),
                         r"component +tracking = " + refs["new"])

    def test_list_shows_where_aliases_point(self):
        refs = self.make_pedigree()
        listed = self.mendel("list", "--namespace", self.namespace)
        self.assertRegex(listed, rf"{self.namespace}/trk +model +2 +production=2 ")
        items = self.mendel_json("list", "--namespace", self.namespace)["items"]
        self.assertEqual({item["artifact"]: item["aliases"] for item in items}[
            refs["new"].split(":")[0]], {"production": 2})

    def test_commits_lists_what_was_made_from_one(self):
        refs = self.make_pedigree()
        listed = self.mendel("commits", self.first[:8].upper())
        self.assertIn(self.first, listed)
        self.assertIn(refs["old"], listed)
        self.assertNotIn(refs["new"], listed)
        found = self.mendel_json("commits", self.second)
        self.assertEqual([version["ref"] for version in found["versions"]], [refs["new"]])
        self.run_mendel("commits", "0" * 40, status=10)
        self.run_mendel("commits", "main", status=1)


if __name__ == "__main__":
    unittest.main()
