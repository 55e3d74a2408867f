"""Agents, servers and commands killed at any instant: each job takes effect once, and what belongs
to no attempt any more can do nothing."""

import contextlib
import os
import random
import signal
import time
import unittest

import agent_fixture
import mendel_fixture
from agent_fixture import wait_until

ROUNDS = int(os.environ.get("MENDEL_KILL_ROUNDS", "8"))
SEED = int(os.environ.get("MENDEL_TEST_SEED", str(random.randrange(1 << 30))))

# Says each of its starts, and goes on when it is told to.
WAITING = """#!/bin/sh
echo $$ >> ../../../starts
mkdir out; echo "$MENDEL_JOB" > out/x
while [ ! -e ../../../go ]; do sleep 0.05; done
echo done
"""


class KillTest(agent_fixture.AgentTest):
    @classmethod
    def setUpClass(cls):
        cls.server = mendel_fixture.Server(port=mendel_fixture.free_port())
        cls.namespace_count = 0

    def waiting_job(self, **members):
        self.commit(train=WAITING)
        return self.start_job(self.pipeline(["./train"], **members))

    def go(self, work="work"):
        (self.path(work) / "go").touch()

    def starts(self, work="work"):
        path = self.path(work) / "starts"
        return path.read_text().split() if path.exists() else []

    def restart_server(self):
        self.server.stop(signal.SIGKILL)
        self.server.start()

    def test_an_agent_that_is_killed_is_followed_by_another(self):
        job = self.waiting_job()
        first = self.agent()
        self.wait_for_state(job, "running")
        self.end(first)
        self.assertTrue(self.command_processes())
        self.agent()
        self.go()
        found = self.wait_for_state(job, *agent_fixture.ENDED)
        self.assertEqual((found["state"], found["attempt"]), ("succeeded", 1))
        self.assertEqual(len(self.starts()), 1)
        self.assertIn("done\n", self.log(job))

    def test_an_agent_may_end_while_its_command_goes_on(self):
        job = self.waiting_job()
        first = self.agent()
        self.wait_for_state(job, "running")
        self.end(first, signal.SIGTERM)
        self.assertTrue(self.command_processes())
        self.go()
        wait_until("the end of the command", lambda: not self.command_processes())
        self.agent()
        found = self.wait_for_state(job, *agent_fixture.ENDED)
        self.assertEqual((found["state"], found["attempt"]), ("succeeded", 1))

    def test_a_server_that_is_killed_ends_no_command(self):
        job = self.waiting_job()
        self.agent()
        self.wait_for_state(job, "running")
        self.server.stop(signal.SIGKILL)
        time.sleep(2 * agent_fixture.LEASE_SECONDS)  # longer than the lease
        self.server.start()
        self.go()
        found = self.wait_for_state(job, *agent_fixture.ENDED)
        self.assertEqual((found["state"], found["attempt"]), ("succeeded", 1))
        self.assertEqual(len(self.starts()), 1)

    def test_a_command_that_is_killed_fails(self):
        job = self.waiting_job()
        self.agent()
        self.wait_for_state(job, "running")
        pid = wait_until("a start", self.starts)[0]
        os.kill(int(pid), signal.SIGKILL)
        found = self.wait_for_state(job, *agent_fixture.ENDED)
        self.assertEqual(found["state"], "failed")
        self.assertIn("signal 9", found["transitions"][-1]["reason"], self.log(job))

    def test_an_agent_that_comes_back_too_late_can_do_nothing(self):
        job = self.waiting_job(retry={"attempts": 2, "backoff_seconds": 0})
        first = self.agent(work="first")
        self.wait_for_state(job, "running")
        first.send_signal(signal.SIGSTOP)
        self.agent(work="second")
        wait_until("a second attempt", lambda: self.starts("second"))
        self.go("first")  # the command of the first ends well meanwhile
        first.send_signal(signal.SIGCONT)
        wait_until("the end of the first", lambda: not self.directories("first"))
        self.assertEqual(self.versions(), [])
        self.go("second")
        found = self.wait_for_state(job, *agent_fixture.ENDED)
        self.assertEqual((found["state"], found["attempt"]), ("succeeded", 2))
        self.assertEqual(len(self.versions()), 1)
        self.assertIn("lost", [step["to"] for step in found["transitions"]])

    def test_a_command_whose_lease_is_lost_is_ended(self):
        job = self.waiting_job(retry={"attempts": 2, "backoff_seconds": 0})
        first = self.agent(work="first")
        self.wait_for_state(job, "running")
        mine = self.starts("first")[0]
        first.send_signal(signal.SIGSTOP)
        self.agent(work="second")
        wait_until("a second attempt", lambda: self.starts("second"))
        first.send_signal(signal.SIGCONT)
        wait_until("the end of the first command",
                   lambda: int(mine) not in self.command_processes())
        wait_until("an empty directory", lambda: not self.directories("first"))
        self.go("second")
        self.assertEqual(self.wait_for_state(job, *agent_fixture.ENDED)["state"], "succeeded")

    def test_whatever_is_killed_each_job_takes_effect_once(self):
        """Agents, server and commands at random instants."""
        random.seed(SEED)
        self.commit(train="""#!/bin/sh
mkdir out; echo "$MENDEL_JOB" > out/x
sleep 0.$(($$ % 10)); sleep 0.5
""")
        pipeline = self.pipeline(["./train"], retry={"attempts": 20, "backoff_seconds": 0})
        jobs = [self.start_job(pipeline) for _ in range(ROUNDS)]
        agent = self.agent("--slots", "2")
        for _ in range(ROUNDS):
            time.sleep(random.uniform(0.1, 1.5))
            what = random.choice(("agent", "agent", "server", "command", "all of them"))
            if what in ("command", "all of them"):
                for pid in self.command_processes():
                    if random.random() < 0.5:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
            if what in ("agent", "all of them"):
                self.end(agent)
                agent = self.agent("--slots", "2")
            if what in ("server", "all of them"):
                self.restart_server()
        for job in jobs:
            found = self.wait_for_state(job, *agent_fixture.ENDED)
            self.assertEqual(found["state"], "succeeded", (SEED, found))
        made = [self.mendel("cat", f"{self.namespace}/model:{version['version']}", "x").strip()
                for version in self.versions()]
        self.assertEqual(sorted(made), sorted(jobs), SEED)
        wait_until("no processes", lambda: not self.command_processes())


if __name__ == "__main__":
    unittest.main()
