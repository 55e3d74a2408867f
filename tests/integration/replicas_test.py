"""Several servers over one database and one object store: one of them acts on events, and when it
hangs or is killed another does; what was caused through any of them makes one job."""

import collections
import json
import signal
import unittest

import mendel_fixture
from trigger_fixture import Api, eventually, pipeline

VERSIONS_PER_STEP = 5


class ReplicasTest(unittest.TestCase):
    """The first server has the private PostgreSQL, and hangs for most of the time, so that the
    others lead: it cannot be killed without its database."""

    def setUp(self):
        self.first = mendel_fixture.Server()
        self.addCleanup(self.first.remove)
        self.addCleanup(self.first.process.send_signal, signal.SIGCONT)
        run, objects = self.first.data / "run", self.first.data / "objects"
        self.replicas = []
        for _ in range(2):
            replica = mendel_fixture.Server("--database", f"host={run} user=mendel dbname=mendel",
                                            "--objects", f"file://{objects}",
                                            port=mendel_fixture.free_port())
            self.addCleanup(replica.remove)
            # The tokens are the database's: any of them is good at every server.
            replica.token = self.first.token
            self.replicas.append(replica)
        api = Api(self.first)
        api.make_data("lhcb")
        api.publish("lhcb", 0)
        api.put("pipelines/lhcb/retrain", pipeline("lhcb"))
        api.put("triggers/lhcb/on-calib",
                {"pipeline": "lhcb/retrain", "when": {"new_version": "lhcb/calib"}})
        self.published = 1

    def publish_at(self, server):
        for _ in range(VERSIONS_PER_STEP):
            status, _, answer = Api(server).publish("lhcb", self.published)
            self.assertEqual((status, answer["version"]), (201, self.published + 1))
            self.published += 1

    def wait_for_every_job(self, server):
        def reasons():
            return collections.Counter(
                job["reason"] for job in Api(server).items("jobs?namespace=lhcb"))
        expected = collections.Counter(f"lhcb/calib:{number} is new, by admin"
                                       for number in range(2, self.published + 1))
        eventually(lambda: reasons() == expected)
        self.assertEqual(reasons(), expected)

    def leaders(self):
        return self.first.psql("select task, holder from leader where until > now()").splitlines()

    def test_another_server_takes_over(self):
        one, other = self.replicas
        self.publish_at(one)
        self.publish_at(self.first)
        self.wait_for_every_job(other)
        self.assertEqual(len(self.leaders()), len({line.split("|")[0] for line in self.leaders()}))

        self.first.process.send_signal(signal.SIGSTOP)  # it hangs, and comes back at the end
        self.publish_at(one)
        self.wait_for_every_job(one)

        for victim, survivor in ((one, other), (other, one)):
            self.publish_at(survivor)
            victim.stop(signal.SIGKILL)
            self.publish_at(survivor)
            self.wait_for_every_job(survivor)
            victim.start()
            victim.token = self.first.token
            self.publish_at(victim)
            self.wait_for_every_job(survivor)

        self.first.process.send_signal(signal.SIGCONT)
        self.publish_at(self.first)
        for server in (self.first, one, other):
            self.wait_for_every_job(server)

    def test_what_one_server_changed_the_others_know(self):
        one, other = self.replicas
        _, _, made = Api(one).ask("POST", "tokens", {"principal": "admin", "name": "t",
                                                     "scopes": ["read"], "expires_in_days": 1})
        path = "/api/v1/datasets/lhcb/calib/versions/latest"
        for server in (self.first, other):
            self.assertEqual(server.request("GET", path, token=made["secret"])[0], 200)
        self.assertEqual(Api(other).ask("DELETE", f"tokens/{made['id']}")[0], 204)
        for server in (self.first, one):
            self.assertTrue(eventually(
                lambda: server.request("GET", path, token=made["secret"])[0] == 401))
        self.publish_at(one)
        for server in (self.first, other):
            self.assertTrue(eventually(lambda: json.loads(
                server.request("GET", path)[2])["version"] == self.published))


if __name__ == "__main__":
    unittest.main(verbosity=2)
