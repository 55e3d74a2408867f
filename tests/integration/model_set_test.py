"""Model sets: versions that are made of other versions, and are pulled as one tree."""

import json
import unittest

import mendel_fixture


class ModelSetTest(mendel_fixture.ServerTest):
    def push(self, name, platform=None, **files):
        """One version of the files given as name=content."""
        directory = self.path("push-" + name.replace("/", "-"))
        for path, content in files.items():
            self.write(directory / path.replace("_", "."), content)
        paths = [f"--platform={platform}={directory}"] if platform else [directory]
        return self.mendel_json("push", "model", name, *paths)

    def publish_set(self, name, files=(), **components):
        body = {"components": [{"name": each, "ref": ref} for each, ref in components.items()]}
        if files:
            body["files"] = list(files)
        status, _, answer = self.server.request(
            "POST", f"/api/v1/models/{name}/versions", json.dumps(body).encode(),
            {"Content-Type": "application/json"})
        return status, json.loads(answer)

    def make_set(self):
        """tracking with a file for each of two platforms, and pid in a set of its own."""
        ns = self.namespace
        self.push(f"{ns}/trk", "x86_64_v2-el9-gcc13-opt", libtrk_so="for v2")
        self.push(f"{ns}/pid", pid_json="muons", README="who is who")
        status, inner = self.publish_set(f"{ns}/inner", pid=f"{ns}/pid@latest")
        self.assertEqual(status, 201, inner)
        status, whole = self.publish_set(f"{ns}/all", tracking=f"{ns}/trk", rest=f"{ns}/inner:1")
        self.assertEqual(status, 201, whole)
        return whole

    def test_is_pulled_as_one_tree(self):
        whole = self.make_set()
        self.assertEqual(whole["file_count"], 3)
        ns = self.namespace
        self.mendel("pull", f"{ns}/all", "--to", "all", "--platform", "x86_64_v2-el9-gcc13-opt")
        pulled = {str(path.relative_to(self.path("all"))): path.read_text()
                  for path in self.path("all").rglob("*")
                  if path.is_file() and ".mendel" not in path.parts}
        self.assertEqual(pulled, {"tracking/libtrk.so": "for v2", "rest/pid/pid.json": "muons",
                                  "rest/pid/README": "who is who"})
        self.mendel("verify", "all")
        self.mendel("verify", f"{ns}/all:1")
        self.assertEqual(self.mendel("cat", f"{ns}/all", "rest/pid/pid.json"), "muons")
        again = self.mendel_json("pull", f"{ns}/all", "--to", "all",
                                 "--platform", "x86_64_v2-el9-gcc13-opt")
        self.assertEqual(again["new_count"], 0)

    def test_follows_no_component_that_moved(self):
        self.make_set()
        ns = self.namespace
        self.push(f"{ns}/pid", pid_json="electrons")
        self.assertEqual(self.mendel("cat", f"{ns}/all", "rest/pid/pid.json"), "muons",
                         "a set is frozen when it is published")
        self.publish_set(f"{ns}/inner", pid=f"{ns}/pid")
        status, second = self.publish_set(f"{ns}/all", tracking=f"{ns}/trk", rest=f"{ns}/inner")
        self.assertEqual((status, second["version"]), (201, 2))
        self.assertEqual(self.mendel("cat", f"{ns}/all", "rest/pid/pid.json"), "electrons")
        status, third = self.publish_set(f"{ns}/all", tracking=f"{ns}/trk", rest=f"{ns}/inner")
        self.assertEqual((status, third["created"]), (200, False))

    def test_is_pulled_by_who_cannot_read_its_components(self):
        """The bytes came with the set, by somebody who may read them."""
        ns = self.namespace
        private = ns + "-private"
        self.mendel("namespace", "create", private)
        self.push(f"{private}/pid", pid_json="muons")
        status, whole = self.publish_set(f"{ns}/all", pid=f"{private}/pid")
        self.assertEqual(status, 201, whole)
        self.mendel("principal", "create", "reader-" + ns)
        self.mendel("namespace", "grant", ns, "reader-" + ns, "reader")
        token = self.mendel_json("token", "create", "--principal", "reader-" + ns, "--name", "reading",
                                 "--scope", "read")["secret"]
        self.mendel("show", f"{private}/pid", status=10, MENDEL_TOKEN=token)
        self.mendel("pull", f"{ns}/all", "--to", "all", MENDEL_TOKEN=token)
        self.assertEqual(self.path("all/pid/pid.json").read_text(), "muons")

    def test_refuses_what_makes_no_tree(self):
        ns = self.namespace
        file = self.push(f"{ns}/pid", pid_json="muons")
        digest = json.loads(self.server.request(
            "GET", f"/api/v1/models/{ns}/pid/versions/1/files")[2])["files"][0]["digest"]
        cases = {
            "a path below a component": dict(files=[{"path": "pid/x", "digest": digest}],
                                             pid=f"{ns}/pid"),
            "a path that is a component": dict(files=[{"path": "PID", "digest": digest}],
                                               pid=f"{ns}/pid"),
            "an unknown version": dict(pid=f"{ns}/pid:9"),
        }
        for what, arguments in cases.items():
            with self.subTest(what):
                status, problem = self.publish_set(f"{ns}/all", **arguments)
                self.assertIn(status, (404, 422), problem)
                self.assertTrue(problem["errors"])
        self.mendel("show", f"{ns}/all", status=10)
        self.assertEqual(file["version"], 1)


if __name__ == "__main__":
    unittest.main()
