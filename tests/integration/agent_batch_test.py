"""Agents that hand their jobs to a batch system, and commands that are workflows of their own: a
real Slurm and a real Snakemake where they are installed, and a fake HTCondor."""

import json
import os
import pathlib
import shutil
import signal
import unittest

import agent_fixture
import slurm_fixture
from agent_fixture import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAKE = ROOT / "tests" / "testing" / "batch" / "fake_batch_system.py"

WAITING = """#!/bin/sh
echo "runs $MENDEL_ATTEMPT" >> ../../../starts
mkdir out; cat params.json > out/x
while [ ! -e ../../../go ]; do sleep 0.05; done
"""


class BatchTests:
    """What any batch system does for an agent; changes is the environment of its programs."""

    def begin(self):
        self.commit(train=WAITING)
        return self.start_job(self.pipeline(["./train"], hyperparameters={"lr": 1},
                                            limits={"timeout_seconds": 600}))

    def batch_agent(self):
        return self.agent("--runner", self.runner, "--poll-seconds", "1", *self.options,
                          **self.changes)

    def go(self):
        (self.path("work") / "go").touch()

    def starts(self):
        path = self.path("work/starts")
        return path.read_text().splitlines() if path.exists() else []

    def test_makes_a_version(self):
        job = self.begin()
        self.batch_agent()
        self.wait_for_state(job, "running")
        self.go()
        found = self.wait_for_state(job, *agent_fixture.ENDED)
        self.assertEqual(found["state"], "succeeded", self.log(job))
        run = json.loads(self.server.request("GET", f"/api/v1/runs/{found['run']}")[2])
        self.assertEqual((run["status"], run["exit_status"]), ("finished", 0))
        self.assertTrue(run["resources"]["host"])
        self.assertEqual(len(self.versions()), 1)

    def test_finds_its_job_again_after_it_was_killed(self):
        job = self.begin()
        first = self.batch_agent()
        wait_until("a start", self.starts)
        self.end(first, signal.SIGKILL)
        self.batch_agent()
        self.go()
        found = self.wait_for_state(job, *agent_fixture.ENDED)
        self.assertEqual((found["state"], found["attempt"]), ("succeeded", 1), self.log(job))
        self.assertEqual(len(self.starts()), 1)

    def test_cancels(self):
        job = self.begin()
        self.batch_agent()
        self.wait_for_state(job, "running")
        self.mendel("job", "cancel", job)
        found = self.wait_for_state(job, *agent_fixture.ENDED)
        self.assertEqual(found["state"], "cancelled")
        wait_until("the end of the command", lambda: not self.command_processes())
        self.assertEqual(self.versions(), [])

    def test_says_that_a_command_failed(self):
        self.commit(train="#!/bin/sh\necho no; exit 3\n")
        job = self.start_job(self.pipeline(["./train"]))
        self.batch_agent()
        found = self.wait_for_state(job, *agent_fixture.ENDED)
        self.assertEqual(found["state"], "failed")
        self.assertIn("status 3", found["transitions"][-1]["reason"])
        self.assertIn("no\n", self.log(job))


@unittest.skipUnless(slurm_fixture.is_there(), "no Slurm, or no root")
class SlurmTest(BatchTests, agent_fixture.AgentTest):
    runner, options = "slurm", ["--slurm-option=--partition=main"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.slurm = slurm_fixture.Slurm()
        cls.changes = cls.slurm.environment

    @classmethod
    def tearDownClass(cls):
        cls.slurm.remove()
        super().tearDownClass()


class HtcondorTest(BatchTests, agent_fixture.AgentTest):
    """Against programs that answer as the manual says; the real ones are not packaged."""

    runner, options = "htcondor", ["--condor-option=request_cpus = 1"]

    def setUp(self):
        super().setUp()
        for name in ("bin", "fake"):
            self.path(name).mkdir()
        for name in ("condor_submit", "condor_q", "condor_history", "condor_rm"):
            self.path("bin").joinpath(name).symlink_to(FAKE)
        self.changes = {"PATH": f"{self.path('bin')}:{os.environ['PATH']}",
                        "FAKE_BATCH": str(self.path("fake"))}

    def test_fails_what_is_held(self):
        self.path("fake/held").touch()
        job = self.begin()
        self.batch_agent()
        found = self.wait_for_state(job, *agent_fixture.ENDED)
        self.assertEqual(found["state"], "failed")
        self.assertIn("held: the disk is full", found["transitions"][-1]["reason"])


SNAKEFILE = """
rule all:
    input: "out/model.txt"

rule train:
    input: "inputs/data/d.txt"
    output: "out/model.txt"
    shell: "cat {input} params.json > {output}"
"""


@unittest.skipUnless(shutil.which("snakemake"), "no Snakemake")
class SnakemakeTest(agent_fixture.AgentTest):
    def test_is_a_command_like_any_other(self):
        ns = self.namespace
        self.write("d.txt", "tracks")
        self.mendel("push", "dataset", f"{ns}/tracks", self.path("d.txt"), "--no-git")
        self.commit(Snakefile=SNAKEFILE, _dot_gitignore=".snakemake\nout\n")
        job = self.start_job(self.pipeline(
            ["snakemake", "-c1", "all"], inputs={"data": f"{ns}/tracks@latest"},
            hyperparameters={"lr": 0.001}))
        self.run_agent_once(HOME=str(self.directory))
        self.assertEqual(self.job(job)["state"], "succeeded", self.log(job))
        self.assertIn("tracks", self.mendel("cat", f"{ns}/model:1", "model.txt"))


if __name__ == "__main__":
    unittest.main()
