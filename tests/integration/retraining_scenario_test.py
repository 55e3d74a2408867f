"""The loop, as its users would live it: a pipeline and triggers from a file that lies in git, a new
dataset version, an agent at a site that trains with Snakemake, or hands the training to Slurm, and
the new version with its whole pedigree. Then a commit does the same through a real git server; and
whatever is killed on the way, each cause makes one version.

Snakemake is taken from MENDEL_SNAKEMAKE or the PATH, Slurm where its daemons are installed.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest

import agent_fixture
import slurm_fixture
from agent_fixture import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "testing"))
import git_http  # noqa: E402

EXAMPLE = ROOT / "ci" / "example"
POST_RECEIVE = ROOT / "ci" / "hooks" / "post-receive"
SNAKEMAKE = os.environ.get("MENDEL_SNAKEMAKE") or shutil.which("snakemake")


@unittest.skipUnless(SNAKEMAKE, "Snakemake is not installed")
class RetrainingScenario(agent_fixture.AgentTest):
    server_options = ("--egress-allow", "127.0.0.1")

    def setUp(self):
        super().setUp()
        self.path("repositories").mkdir()
        self.git_server = git_http.GitServer(self.path("repositories"))
        self.addCleanup(self.git_server.stop)
        self.bare = self.git_server.create("train")
        self.repository = self.git_server.url("train")
        shutil.copytree(EXAMPLE, self.path("train"),
                        ignore=shutil.ignore_patterns("__pycache__", "retrain.yml"))
        self.work_tree = git_http.WorkTree(self.path("train"), self.repository)
        self.first_commit = self.push_commit({".gitignore": "inputs\nout\n__pycache__\n"})

    def push_commit(self, files):
        commit = self.work_tree.commit(files)
        self.work_tree.git("push", "--quiet", "origin", "main")
        return commit

    def apply(self):
        """The dataset is there: what is watched must be."""
        self.push_tracks(1)
        text = (EXAMPLE / "retrain.yml").read_text()
        text = text.replace("lhcb/", self.namespace + "/").replace("REPOSITORY", self.repository)
        text = text.replace("queue: cpu", "queue: " + self.queue)
        self.write("retrain.yml", text)
        self.mendel("pipeline", "apply", self.path("retrain.yml"))

    def push_tracks(self, seed):
        made = self.path(f"sample{seed}")
        subprocess.run([EXAMPLE / "train", "--tracks", "3000", "--seed", str(seed), "--out", made],
                       check=True, stdout=subprocess.DEVNULL)
        return self.mendel_json("push", "dataset", f"{self.namespace}/tracks", made / "data",
                                "--no-git")

    def agent_environment(self):
        environment = super().agent_environment()
        return environment | {"PATH": self.with_snakemake(environment["PATH"])}

    @staticmethod
    def with_snakemake(path):
        return f"{pathlib.Path(SNAKEMAKE).parent}:{path}"

    def jobs(self):
        status, _, body = self.server.request("GET", f"/api/v1/jobs?namespace={self.namespace}")
        self.assertEqual(status, 200, body)
        return json.loads(body)["items"]

    def wait_for_versions(self, count):
        try:
            wait_until(f"{count} versions", lambda: len(self.versions("efficiency")) >= count)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{json.dumps(self.jobs(), indent=1)}\n"
                                 f"{self.path('agent.log').read_text()}") from error
        wait_until("all jobs", lambda: all(job["state"] in agent_fixture.ENDED
                                           for job in self.jobs()))
        self.assertEqual(len(self.versions("efficiency")), count,
                         json.dumps(self.jobs(), indent=1))
        return self.mendel_json("show", f"{self.namespace}/efficiency:{count}")

    def check_pedigree(self, version, tracks, commit):
        self.assertEqual(version["source"]["commit"], commit)
        self.assertEqual(version["hyperparameters"]["value"], {"degree": 4, "ridge": 0.01})
        self.assertIn("chi2_ndf", version["metrics"])
        self.assertEqual(version["aliases"], ["staging"])
        inputs = {each["role"]: each.get("ref") for each in version["inputs"]}
        self.assertEqual(inputs["trained-on"], f"{self.namespace}/tracks:{tracks}")
        self.assertIn("environment", inputs)
        job = self.jobs()[0]
        self.assertEqual((job["state"], job["version"], job["run"]),
                         ("succeeded", f"{self.namespace}/efficiency:{version['version']}",
                          version["run"]))
        run = json.loads(self.server.request("GET", f"/api/v1/runs/{version['run']}")[2])
        self.assertEqual(run["status"], "finished")
        self.assertGreater(run["resources"]["wall_seconds"], 0)

    def test_of_the_loop(self):
        ns = self.namespace
        self.apply()
        self.assertEqual(self.jobs(), [])  # what was there before makes nothing

        self.agent()
        self.push_tracks(2)
        version = self.wait_for_versions(1)
        self.check_pedigree(version, 2, self.first_commit)
        self.assertEqual(self.jobs()[0]["trigger"], f"{ns}/on-new-tracks")

        again = self.mendel_json(
            "reproduce", f"{ns}/efficiency:1", "--to", self.path("again"), "--run",
            PATH=self.agent_environment()["PATH"])
        self.assertTrue(again["reproduced"], again)

        # A commit, by a hook of the git server.
        hook = self.mendel_json("hook", "create", ns, "--kind", "generic", "--repository",
                                self.repository)
        installed = self.bare / "hooks" / "post-receive"
        shutil.copy(POST_RECEIVE, installed)
        installed.chmod(0o755)
        git_http.git("-C", self.bare, "config", "mendel.url", hook["url"])
        git_http.git("-C", self.bare, "config", "mendel.secret", hook["secret"])
        self.push_commit({"README.md": "nothing that makes a model\n"})
        commit = self.push_commit({"fit.py": (self.path("train/fit.py")).read_text() + "#\n"})
        version = self.wait_for_versions(2)
        self.check_pedigree(version, 2, commit)
        self.assertEqual(self.jobs()[0]["trigger"], f"{ns}/on-new-code")

        text = self.mendel("trigger", "show", f"{ns}/on-new-code")
        self.assertIn(commit[:7], text)

    def test_of_the_loop_while_all_of_it_is_killed(self):
        self.apply()
        agent = self.agent()
        for round_number in range(1, 4):
            self.push_tracks(round_number + 1)
            time.sleep(0.4 * round_number)
            self.end(agent)
            self.server.stop(signal.SIGKILL)
            self.server.port = int(self.server.url.rsplit(":", 1)[1])
            self.server.start()
            agent = self.agent()
            version = self.wait_for_versions(round_number)
            self.check_pedigree(version, round_number + 1, self.first_commit)

    @unittest.skipUnless(slurm_fixture.is_there(), "Slurm is not installed")
    def test_of_the_loop_through_slurm(self):
        slurm = slurm_fixture.Slurm()
        self.addCleanup(slurm.remove)
        self.apply()
        environment = slurm.environment
        environment["PATH"] = self.with_snakemake(environment["PATH"])
        self.agent("--runner", "slurm", "--poll-seconds", "1", **environment)
        self.push_tracks(2)
        version = self.wait_for_versions(1)
        self.check_pedigree(version, 2, self.first_commit)


if __name__ == "__main__":
    unittest.main()
