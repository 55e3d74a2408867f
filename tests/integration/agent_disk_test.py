"""An agent whose disk fills up: the job says so, its directory goes, and the next job is done."""

import os
import unittest

import agent_fixture
from disk_full_test import MAY_MOUNT, MIB, small_disk

EXIT_FAILURE = 1


@unittest.skipUnless(MAY_MOUNT, "this process may not mount")
class DiskTest(agent_fixture.AgentTest):
    def setUp(self):
        super().setUp()
        small_disk(self, self.path("work"), "8m")
        self.write("data.bin", os.urandom(16 * MIB))
        self.mendel("push", "dataset", f"{self.namespace}/large", self.path("data.bin"), "--no-git")
        self.commit(train="#!/bin/sh\nmkdir out; echo 1 > out/x\n")

    def job_of_large(self):
        return self.start_job(self.pipeline(["./train"], name="large",
                                            inputs={"data": f"{self.namespace}/large:1"}))

    def test_that_is_too_small_for_an_input(self):
        job = self.job_of_large()
        self.run_agent_once(status=EXIT_FAILURE)
        found = self.job(job)
        self.assertEqual(found["state"], "failed")
        self.assertIn("the disk is full here", found["transitions"][-1]["reason"])
        self.assertEqual(self.directories(), [])
        self.assertFalse(self.path("work/failed").exists())

    def test_that_is_too_small_for_a_checkout(self):
        (self.tree / "large.bin").write_bytes(os.urandom(16 * MIB))
        self.commit(more="")
        job = self.start_job(self.pipeline(["./train"]))
        self.run_agent_once(status=EXIT_FAILURE)
        self.assertIn("the disk is full here", self.job(job)["transitions"][-1]["reason"])
        self.assertEqual(self.directories(), [])

    def test_goes_on_with_the_next_job(self):
        large = self.job_of_large()
        small = self.start_job(self.pipeline(["./train"], name="small"))
        self.agent()
        self.assertEqual(self.wait_for_state(large, *agent_fixture.ENDED)["state"], "failed")
        self.assertEqual(self.wait_for_state(small, *agent_fixture.ENDED)["state"], "succeeded")

    def test_that_the_command_fills_is_its_failure(self):
        self.commit(train="#!/bin/sh\nmkdir out; head -c 100M /dev/zero > out/x\n")
        job = self.start_job(self.pipeline(["./train"]))
        self.run_agent_once(status=EXIT_FAILURE)
        found = self.job(job)
        self.assertEqual(found["state"], "failed")
        self.assertEqual(self.directories(), [])


if __name__ == "__main__":
    unittest.main()
