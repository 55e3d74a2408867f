"""Datasets that stay where they are: pushed from a list, and what can be done with them."""

import json
import unittest
import zlib

import mendel_fixture

HEADER = "path,size,checksum,locations\n"


class DatasetListTest(mendel_fixture.ServerTest):
    def setUp(self):
        super().setUp()
        self.dataset = f"{self.namespace}/calib"

    def push_list(self, text, *arguments, name="list.csv", **options):
        self.write(name, text)
        return self.run_mendel("push", "dataset", self.dataset, "--from-list", name, "--json",
                               *arguments, **options)

    def row(self, name, content):
        """A row of a file that lies in the test's directory."""
        path = self.write(f"eos/{name}", content)
        return (f"{name},{len(content)},adler32:{zlib.adler32(content):08x},"
                f"root://eos.example.org//{name} file://{path}\n")

    def manifest(self):
        return self.mendel_json("files", self.dataset)["files"]

    def file_request(self, path):
        return self.server.request(
            "GET", f"/api/v1/datasets/{self.dataset}/versions/1/{path}")

    def test_is_a_version_like_any_other(self):
        rows = "".join(self.row(f"{i:05}.root", b"x" * i) for i in range(235))
        made = json.loads(self.push_list(HEADER + rows).stdout)
        self.assertEqual((made["version"], made["file_count"], made["size_bytes"]),
                         (1, 235, sum(range(235))))
        self.assertLess(made["sent_bytes"], 100_000)
        file = self.manifest()[234]
        self.assertEqual(file["path"], "00234.root")
        self.assertEqual(file["locations"][0], "root://eos.example.org//00234.root")
        self.assertFalse(json.loads(self.push_list(HEADER + rows).stdout)["created"])
        self.mendel("push", "model", f"{self.namespace}/x", "list.csv", "--data", self.dataset)
        self.assertEqual(self.mendel_json("show", f"{self.namespace}/x")["inputs"][0]["digest"],
                         made["digest"])

    def test_is_the_same_from_csv_and_from_json(self):
        self.push_list(HEADER + 'a,9,adler32:1A2B3C4D,"root://a//f https://b/f"\n')
        again = self.push_list(json.dumps({
            "path": "a", "size": 9, "checksum": "adler32:1a2b3c4d",
            "locations": ["root://a//f", "https://b/f"]}), name="list.ndjson")
        self.assertFalse(json.loads(again.stdout)["created"])

    def test_is_refused_with_the_lines_of_its_mistakes(self):
        refused = self.push_list(HEADER + "a,1,adler32:00000001,root://a//f\n"
                                 "b,1,adler32:1,root://a//b\n\nb/../c,1,md5:0,/eos/c\n", status=1)
        for mistake in ("line 3: checksum", "line 5: path", "line 5: locations/0"):
            self.assertIn(mistake, refused.stderr)
        self.push_list(HEADER + "a,x,adler32:00000001,root://a//f\n", "--dry-run", status=1)
        self.mendel("show", self.dataset, status=10)

    def test_stands_beside_stored_files(self):
        self.write("stored/readme", "what it is")
        self.push_list(HEADER + self.row("f.root", b"far away"), "stored")
        self.assertEqual([file["path"] for file in self.manifest()], ["f.root", "readme"])

        pulled = self.run_mendel("pull", self.dataset, "--to", "here", status=10)
        self.assertIn("f.root is not pulled: it stays at root://", pulled.stderr)
        self.assertIn("1 of 2 files were not pulled", pulled.stderr)
        self.assertEqual(self.path("here/readme").read_text(), "what it is")
        self.assertFalse(self.path("here/f.root").exists())
        content = self.mendel_json("pull", self.dataset, "--to", "here", "--stored-only")
        self.assertEqual([file["path"] for file in content["elsewhere"]], ["f.root"])
        self.mendel("verify", "here")

    def test_of_many_files_is_pulled_with_few_words(self):
        self.push_list(HEADER + "".join(self.row(f"{i}", b"1") for i in range(100)))
        pulled = self.run_mendel("pull", self.dataset, "--to", "here", status=10)
        self.assertIn("and 90 more", pulled.stderr)
        self.assertLess(len(pulled.stderr.splitlines()), 16)

    def test_is_verified_as_far_as_it_can_be(self):
        self.push_list(HEADER + self.row("a", b"right") + self.row("b", b"right, too") +
                       "c,1,md5:" + "0" * 32 + ",root://eos.example.org//c\n")
        said = self.mendel("verify", self.dataset)
        self.assertIn("3 files stay where they are: 2 as the list says, 0 not, 1 not checked",
                      said)
        self.assertIn("unchecked  c (md5:", said)
        self.write("eos/b", b"right, 2oo")
        said = self.run_mendel("verify", self.dataset, "--json", status=14)
        states = {file["path"]: file["state"] for file in json.loads(said.stdout)["elsewhere"]}
        self.assertEqual(states, {"a": "right", "b": "wrong", "c": "unchecked"})
        self.assertIn("1 files are not what the list says", said.stderr)

    def test_says_where_the_bytes_are(self):
        self.push_list(HEADER + "f,1,md5:" + "0" * 32 + ",root://a//f https://b/f\n")
        status, _, body = self.file_request("files/f")
        problem = json.loads(body)
        self.assertEqual((status, problem["type"]), (404, "/problems/not-found"))
        self.assertEqual([error["detail"] for error in problem["errors"]],
                         ["root://a//f", "https://b/f"])
        self.assertIn("md5:", problem["detail"])
        self.assertEqual(self.file_request("recipe/f")[0], 404)
        for command in ("cat", "url"):
            refused = self.run_mendel(command, self.dataset, "f", status=10)
            self.assertIn("it stays at root://a//f", refused.stderr)

    def test_has_an_archive_of_what_is_stored(self):
        self.write("stored/readme", "what it is")
        self.push_list(HEADER + self.row("f.root", b"far away"), "stored")
        status, _, archive = self.file_request("archive")
        self.assertEqual(status, 200)
        self.assertIn(b"readme", archive)
        self.assertNotIn(b"f.root", archive)

    def test_may_be_of_a_hundred_thousand_files(self):
        rows = "".join(f"{i // 1000}/{i}.root,{i},adler32:{i:08x},root://eos.example.org//{i}\n"
                       for i in range(100_000))
        made = json.loads(self.push_list(HEADER + rows).stdout)
        self.assertEqual(made["file_count"], 100_000)
        self.assertEqual(len(self.manifest()), 100_000)


if __name__ == "__main__":
    unittest.main()
