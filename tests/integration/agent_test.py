"""`mendel agent` and what leads to it and from it: pipelines from files, jobs, their logs, and the
versions that they make."""

import json
import os
import signal
import subprocess
import unittest

import agent_fixture
from agent_fixture import wait_until

EXIT_FAILURE, EXIT_CONFLICT = 1, 11

TRAIN = """#!/bin/sh -e
echo "training on $(cat inputs/data/d.txt)"
mkdir -p out
cat inputs/data/d.txt params.json > out/model.txt
echo '{"chi2": 2.5}' > metrics.json
"""


class MakingTest(agent_fixture.AgentTest):
    def test_makes_a_version_with_all_that_it_was_made_of(self):
        ns = self.namespace
        self.write("d.txt", "tracks")
        self.mendel("push", "dataset", f"{ns}/tracks", self.path("d.txt"), "--no-git")
        commit = self.commit(train=TRAIN)
        pipeline = self.pipeline(
            ["./train"], inputs={"data": f"{ns}/tracks@latest"},
            hyperparameters={"lr": 0.001, "layers": [1, 2]}, labels={"year": "2016"},
            produces={"artifact": f"{ns}/model", "files": ["out/*"], "metrics": "metrics.json",
                      "aliases": ["staging"]})
        job = self.start_job(pipeline, "--reason", "new tracks", "--param", "lr=0.002")
        self.run_agent_once(MENDEL_SITE="CNAF")

        done = self.job(job)
        self.assertEqual((done["state"], done["version"]), ("succeeded", f"{ns}/model:1"))
        version = self.mendel_json("show", f"{ns}/model:1")
        self.assertEqual(version["hyperparameters"]["value"], {"lr": 0.002, "layers": [1, 2]})
        self.assertEqual(version["metrics"], {"chi2": 2.5})
        self.assertEqual(version["labels"], {"year": "2016"})
        self.assertEqual(version["aliases"], ["staging"])
        self.assertEqual(version["source"]["commit"], commit)
        self.assertFalse(version["source"].get("dirty", False))
        by_role = {each["role"]: each for each in version["inputs"]}
        self.assertEqual(by_role["trained-on"]["ref"], f"{ns}/tracks:1")
        self.assertEqual(by_role["trained-on"]["name"], "data")
        self.assertEqual(by_role["environment"]["ref"], f"{ns}/model-env:1")
        self.assertEqual(version["run"], done["run"])

        run = json.loads(self.server.request("GET", f"/api/v1/runs/{done['run']}")[2])
        self.assertEqual((run["status"], run["exit_status"]), ("finished", 0))
        self.assertEqual(run["command"], ["./train"])
        self.assertEqual(run["resources"]["site"], "CNAF")
        self.assertGreater(run["resources"]["wall_seconds"], 0)

        log = self.log(job)
        self.assertIn("training on tracks\n", log)
        self.assertIn("mendel: checking out", log)
        states = [step["to"] for step in done["transitions"]]
        self.assertEqual([s for s in states if s in ("starting", "succeeded")],
                         ["starting", "succeeded"])
        self.assertEqual(self.directories(), [])

        again = self.mendel_json("reproduce", f"{ns}/model:1", "--to", "again", "--run")
        self.assertTrue(again["reproduced"], again)

    def test_runs_without_a_source_in_an_empty_directory(self):
        pipeline = self.pipeline(["sh", "-c", "ls -A; mkdir out; echo 1 > out/x"], source=None)
        job = self.start_job(pipeline)
        self.run_agent_once()
        self.assertEqual(self.job(job)["state"], "succeeded")
        self.assertNotIn("params.json", self.log(job))

    def test_gives_the_command_what_it_needs_and_not_the_agents_token(self):
        script = """#!/bin/sh
mkdir out
echo "$MENDEL_URL|$MENDEL_JOB|$MENDEL_RUN|$MENDEL_ATTEMPT" > out/x
test "$MENDEL_TOKEN" = "$AGENTS" && exit 1
exit 0
"""
        self.commit(train=script)
        job = self.start_job(self.pipeline(["./train"]))
        self.run_agent_once(AGENTS=self.agent_token)
        done = self.job(job)
        self.assertEqual(done["state"], "succeeded")
        made = self.mendel("cat", f"{self.namespace}/model:1", "x").strip()
        self.assertEqual(made, f"{self.server.url}|{job}|{done['run']}|{job}-1")

    def test_takes_hyperparameters_from_a_file_of_the_repository(self):
        self.commit(params_dot_yml="lr: 1e-3\non: no\n",
                    train="#!/bin/sh\nmkdir out; cp params.json out/\n")
        pipeline = self.pipeline(["./train"], hyperparameters_file="params.yml")
        self.start_job(pipeline)
        self.run_agent_once()
        version = self.mendel_json("show", f"{self.namespace}/model:1")
        self.assertEqual(version["hyperparameters"]["value"], {"lr": 0.001, "on": "no"})

    def test_keeps_curves_of_the_metrics_file(self):
        self.commit(train="""#!/bin/sh
mkdir out; echo 1 > out/x
for step in 1 2 3; do echo "{\\"name\\": \\"loss\\", \\"step\\": $step, \\"value\\": 0.$step}"; done > m
""")
        job = self.start_job(self.pipeline(["./train"], produces={
            "artifact": f"{self.namespace}/model", "files": ["out/*"], "metrics": "m"}))
        self.run_agent_once()
        run = self.job(job)["run"]
        curve = json.loads(self.server.request("GET", f"/api/v1/runs/{run}/metrics?name=loss")[2])
        self.assertEqual([point["step"] for point in curve["points"]], [1, 2, 3])

    def test_publishes_files_for_platforms(self):
        self.commit(train="#!/bin/sh\nmkdir a b; echo 1 > a/lib.so; echo 2 > b/lib.so\n")
        self.start_job(self.pipeline(["./train"], produces={
            "artifact": f"{self.namespace}/model",
            "platforms": {"x86_64": ["a/*.so"], "aarch64": ["b/*.so"]}}))
        self.run_agent_once()
        listed = self.mendel("files", f"{self.namespace}/model:1")
        self.assertIn("x86_64", listed)
        self.assertIn("aarch64", listed)

    def test_works_on_several_jobs_at_a_time(self):
        self.commit(train="""#!/bin/sh
touch here-$MENDEL_JOB; mkdir out; echo $MENDEL_JOB > out/x
while [ ! -e ../../../go ]; do sleep 0.05; done
""")
        pipeline = self.pipeline(["./train"])
        jobs = [self.start_job(pipeline) for _ in range(3)]
        self.agent("--slots", "3")
        for job in jobs:
            self.wait_for_state(job, "running")
        self.path("work/go").touch()
        for job in jobs:
            self.assertEqual(self.wait_for_state(job, *agent_fixture.ENDED)["state"],
                             "succeeded")
        self.assertEqual(len(self.versions()), 3)


class FailureTest(agent_fixture.AgentTest):
    def fails(self, script, **members):
        """What a job says that was to run the script, and its log."""
        self.commit(train=script)
        job = self.start_job(self.pipeline(["./train"], **members))
        self.run_agent_once(status=EXIT_FAILURE)
        found = self.job(job)
        self.assertEqual(found["state"], "failed")
        self.assertEqual(self.versions(), [])
        self.assertEqual(self.directories(), [])
        return found["transitions"][-1]["reason"], self.log(job), found

    def produces(self, **members):
        return {"artifact": f"{self.namespace}/model", "files": ["out/*"]} | members

    def test_of_the_command_is_its_own(self):
        reason, log, found = self.fails("#!/bin/sh\nmkdir out; echo 1 > out/x; echo no; exit 7\n")
        self.assertIn("status 7", reason)
        self.assertIn("no\n", log)
        run = json.loads(self.server.request("GET", f"/api/v1/runs/{found['run']}")[2])
        self.assertEqual((run["status"], run["exit_status"]), ("failed", 7))
        kept = list(self.path("work/failed").iterdir())
        self.assertEqual(len(kept), 1)
        self.assertFalse((kept[0] / "state.json").exists())

    def test_is_tried_again_as_the_pipeline_says(self):
        self.commit(train="#!/bin/sh\nexit 1\n")
        job = self.start_job(self.pipeline(["./train"],
                                           retry={"attempts": 2, "backoff_seconds": 0}))
        self.agent()
        found = self.wait_for_state(job, "failed")
        self.assertEqual(found["attempt"], 2)
        self.assertEqual([step["to"] for step in found["transitions"]].count("starting"), 2)

    def test_to_make_what_was_promised_is_named(self):
        reason, log, _ = self.fails("#!/bin/sh\nmkdir out; echo 1 > out/x\n",
                                    produces=self.produces(files=["out/*.so"]))
        self.assertEqual(reason, "matched nothing: out/*.so")
        self.assertIn("mendel: matched nothing: out/*.so", log)

    def test_to_make_anything_new_is_named(self):
        (self.tree / "out").mkdir()
        (self.tree / "out/x").write_text("of long ago")
        reason, _, _ = self.fails("#!/bin/sh\nexit 0\n")
        self.assertIn("out/x is older than the job", reason)

    def test_to_write_metrics_is_named(self):
        for text, words in (("chi2 = 2", "line 1"), ('{"chi2": "good"}', '"chi2"')):
            with self.subTest(text):
                reason, _, _ = self.fails(
                    f"#!/bin/sh\nmkdir out; echo 1 > out/x; echo '{text}' > m\n",
                    produces=self.produces(metrics="m"))
                self.assertIn("the file of metrics", reason)
                self.assertIn(words, reason)
        reason, _, _ = self.fails("#!/bin/sh\nmkdir out; echo 1 > out/x\n",
                                  produces=self.produces(metrics="none.json"))
        self.assertIn("none.json was not made", reason)

    def test_to_find_the_command_is_named(self):
        self.commit(other="#!/bin/sh\n")
        job = self.start_job(self.pipeline(["./train"]))
        self.run_agent_once(status=EXIT_FAILURE)
        self.assertIn("./train: no such command", self.log(job))

    def test_to_check_out_is_named(self):
        self.commit(train="#!/bin/sh\n")
        pipeline = self.pipeline(["./train"])
        self.origin.rename(self.path("elsewhere"))
        job = self.start_job(pipeline)
        self.run_agent_once(status=EXIT_FAILURE)
        found = self.job(job)
        self.assertIn("cannot be checked out", found["transitions"][-1]["reason"])

    def test_of_time_ends_all_processes(self):
        reason, _, _ = self.fails("#!/bin/sh\nsetsid sleep 1000 & sleep 1000\n",
                                  limits={"timeout_seconds": 1})
        self.assertIn("longer than 1 s", reason)
        self.assertEqual(self.command_processes(), [])


class LookingTest(agent_fixture.AgentTest):
    def long_job(self):
        self.commit(train="""#!/bin/sh
echo begins; mkdir out; echo 1 > out/x
while [ ! -e ../../../go ]; do sleep 0.05; done
echo ends
""")
        job = self.start_job(self.pipeline(["./train"]))
        return job

    def test_follows_the_log_to_its_end(self):
        job = self.long_job()
        follower = subprocess.Popen([os.environ["MENDEL"], "job", "log", job, "--follow"],
                                    env=self.environment(), stdout=subprocess.PIPE, text=True)
        self.addCleanup(follower.stdout.close)
        self.addCleanup(self.end, follower)
        self.agent()
        lines = []
        while not lines or lines[-1] != "begins\n":
            lines.append(follower.stdout.readline())
            self.assertNotEqual(lines[-1], "")
        self.path("work/go").touch()
        self.assertIn("ends\n", follower.stdout.readlines())
        self.assertEqual(follower.wait(timeout=60), 0)

    def test_sends_again_what_the_server_has_lost(self):
        """As after a backup was restored."""
        job = self.long_job()
        self.agent()
        wait_until("the begin of a log", lambda: "begins\n" in self.log(job))
        self.server.psql("delete from job_log; update job_attempt set log_received = 0, log_kept = 0;"
                         " update job set log_kept = 0")
        self.path("work/go").touch()
        self.wait_for_state(job, "succeeded")
        self.assertRegex(self.log(job), r"(?s)begins\n.*ends\n")

    def test_cancels_a_job_that_runs(self):
        job = self.long_job()
        self.agent()
        self.wait_for_state(job, "running")
        self.mendel("job", "cancel", job, "--reason", "wrong data")
        found = self.wait_for_state(job, *agent_fixture.ENDED)
        self.assertEqual(found["state"], "cancelled")
        wait_until("the end of the command", lambda: not self.command_processes())
        self.assertEqual(self.versions(), [])
        wait_until("an empty directory", lambda: not self.directories())

    def test_cancels_a_job_that_waits_and_retries_it(self):
        job = self.long_job()
        self.mendel("job", "cancel", job)
        self.assertEqual(self.job(job)["state"], "cancelled")
        self.mendel("job", "retry", job, "--reason", "after all")
        self.path("work").mkdir()
        self.path("work/go").touch()
        self.run_agent_once()
        self.mendel("job", "wait", job)
        self.mendel("job", "retry", job, status=EXIT_CONFLICT)

    def test_waits_for_a_job_and_says_how_it_ended(self):
        self.commit(train="#!/bin/sh\nexit 1\n")
        job = self.start_job(self.pipeline(["./train"]))
        self.agent()
        waited = self.run_mendel("job", "wait", job, status=EXIT_FAILURE)
        self.assertIn("failed", waited.stdout)
        listed = self.mendel("job", "list", "--namespace", self.namespace, "--state", "failed")
        self.assertIn(job, listed)

    def test_says_who_cannot_be_an_agent(self):
        done = subprocess.run(
            self.agent_command("--once"), cwd=self.directory, capture_output=True, text=True,
            env=self.environment(MENDEL_TOKEN="mdl_nobody"), timeout=60)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("mendel: ", done.stderr)


class ApplyTest(agent_fixture.AgentTest):
    def document(self, **changes):
        ns = self.namespace
        return {"kind": "pipeline", "name": f"{ns}/p", "engine": "agent", "queue": "q",
                "command": ["make"], "limits": {"concurrency": 1},
                "produces": {"artifact": f"{ns}/m", "files": ["out/*"]}} | changes

    def apply(self, *documents, options=(), **changes):
        self.write("p.yml", "\n---\n".join(map(json.dumps, documents)))
        return self.run_mendel("pipeline", "apply", self.path("p.yml"), *options, **changes)

    def test_says_what_changes(self):
        self.assertIn("p: new", self.apply(self.document()).stdout)
        self.assertIn("p: unchanged", self.apply(self.document()).stdout)
        changed = self.document(limits={"concurrency": 2})
        dry = self.apply(changed, options=["--dry-run"]).stdout
        self.assertIn("~ /limits/concurrency: 1 -> 2", dry)
        self.assertIn("nothing was applied", dry)
        self.assertIn("p: changed", self.apply(changed).stdout)
        shown = json.loads(self.mendel("pipeline", "show", f"{self.namespace}/p"))
        self.assertEqual(shown["limits"], {"concurrency": 2})

    def test_applies_all_or_nothing(self):
        wrong = self.document(name=f"{self.namespace}/wrong", command="make all")
        done = self.apply(self.document(), wrong, status=EXIT_FAILURE)
        self.assertIn("command", done.stderr)
        self.assertIn("document 2", done.stderr)
        self.mendel("pipeline", "show", f"{self.namespace}/p", status=10)

    def test_applies_triggers_with_their_pipelines(self):
        trigger = {"kind": "trigger", "name": f"{self.namespace}/t",
                   "pipeline": f"{self.namespace}/p", "when": {"manual": True}}
        self.apply(trigger, self.document())
        self.assertIn("t: unchanged", self.apply(trigger, self.document()).stdout)
        self.assertIn(f"{self.namespace}/t", self.mendel("trigger", "list"))
        wrong = trigger | {"name": f"{self.namespace}/wrong", "when": {"new_version": "nobodys/x"}}
        changed = self.document(limits={"concurrency": 7})
        self.assertIn("nothing was applied", self.apply(changed, wrong, status=EXIT_FAILURE).stderr)
        disabled = trigger | {"enabled": False}
        dry = self.apply(changed, disabled, options=["--dry-run"]).stdout
        self.assertIn("~ /enabled: true -> false", dry)
        self.assertTrue(self.mendel_json("trigger", "show", f"{self.namespace}/t")["enabled"])
        shown = json.loads(self.mendel("pipeline", "show", f"{self.namespace}/p"))
        self.assertEqual(shown["limits"], {"concurrency": 1})
        self.mendel("trigger", "disable", f"{self.namespace}/t")
        self.assertIn("no", self.mendel("trigger", "show", f"{self.namespace}/t"))
        self.mendel("trigger", "enable", f"{self.namespace}/t")
        self.mendel("trigger", "test", f"{self.namespace}/t")
        self.mendel("trigger", "fire", f"{self.namespace}/t", "--reason", "by hand")
        wait_until("a job", lambda: self.mendel_json(
            "job", "list", "--namespace", self.namespace)["items"])
        self.mendel("pipeline", "delete", f"{self.namespace}/p", status=EXIT_CONFLICT)
        self.mendel("trigger", "delete", f"{self.namespace}/t")


if __name__ == "__main__":
    unittest.main()
