"""The server as jobs and scripts meet it: plain HTTP, real data, every way in and out."""

import hashlib
import io
import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import tarfile
import unittest
import urllib.request

import mendel_fixture

REAL_DATA = os.environ.get("MENDEL_REAL_DATA")


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


class ServerTest(mendel_fixture.ServerTest):
    def publish(self, name, files, **more):
        """Puts the files by plain HTTP and publishes them; the version."""
        for content in files.values():
            status, _, answer = self.server.request(
                "PUT", f"/api/v1/namespaces/{self.namespace}/blobs/{digest_of(content)}", content)
            self.assertIn(status, (200, 201), answer)
        body = {"files": [{"path": path, "digest": digest_of(content)}
                          for path, content in files.items()], **more}
        status, headers, answer = self.server.request(
            "POST", self.versions(name), json.dumps(body).encode())
        self.assertIn(status, (200, 201), answer)
        self.assertTrue(headers["Location"].startswith(self.versions(name)))
        return json.loads(answer)

    def versions(self, name):
        return f"/api/v1/models/{self.namespace}/{name}/versions"

    def get(self, path, **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.request("GET", path, headers=names)

    def test_a_numbered_file_may_be_cached_for_ever_and_an_alias_may_not(self):
        content = b"weights" * 1000
        version = self.publish("m", {"a/libtrk.so": content}, aliases=["production"])
        status, headers, body = self.get(self.versions("m") + "/1/files/a/libtrk.so")
        self.assertEqual((status, body), (200, content))
        self.assertEqual(headers["Cache-Control"], "private, max-age=31536000, immutable")
        self.assertEqual(headers["Mendel-Reference"], f"{self.namespace}/m:1")
        self.assertEqual(headers["Mendel-Digest"], version["digest"])
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(headers["Content-Security-Policy"], "sandbox")
        self.assertIn("attachment", headers["Content-Disposition"])

        status, headers, body = self.get(self.versions("m") + "/production/files/a/libtrk.so")
        self.assertEqual((status, body), (200, content))
        self.assertNotIn("immutable", headers["Cache-Control"])
        self.assertEqual(headers["Mendel-Version"], "1")
        status, _, body = self.get(self.versions("m") + "/production/files/a/libtrk.so",
                                   If_None_Match=headers["ETag"])
        self.assertEqual((status, body), (304, b""))

    def test_ranges(self):
        content = os.urandom(700_000)
        self.publish("m", {"w": content})
        url = self.versions("m") + "/1/files/w"
        for asked, first, last in (("bytes=0-0", 0, 0), ("bytes=300000-", 300_000, 699_999),
                                   ("bytes=-5", 699_995, 699_999),
                                   ("bytes=65535-400000", 65_535, 400_000)):
            status, headers, body = self.get(url, Range=asked)
            self.assertEqual(status, 206, asked)
            self.assertEqual(headers["Content-Range"], f"bytes {first}-{last}/700000")
            self.assertEqual(body, content[first:last + 1], asked)
        self.assertEqual(self.get(url, Range="bytes=700000-")[0], 416)
        self.assertEqual(self.get(url, Range="bytes=0-1,5-6")[::2], (200, content))
        status, _, body = self.get(url, Range="bytes=0-1", If_Range='"another"')
        self.assertEqual((status, body), (200, content))

    def test_the_manifest_is_what_the_digest_covers(self):
        version = self.publish("m", {"b": b"2", "a": b"1"})
        _, _, manifest = self.get(self.versions("m") + "/1/files")
        self.assertEqual(digest_of(manifest), version["digest"])
        self.assertEqual([file["path"] for file in json.loads(manifest)["files"]], ["a", "b"])

    def test_an_archive_is_a_tar_of_all_files(self):
        files = {"a/b.txt": b"text", "c": b"", "d/e/f": os.urandom(300_000)}
        self.publish("m", files)
        _, headers, body = self.get(self.versions("m") + "/1/archive")
        self.assertEqual(int(headers["Content-Length"]), len(body))
        with tarfile.open(fileobj=io.BytesIO(body)) as tar:
            self.assertEqual({member.name: tar.extractfile(member).read()
                              for member in tar if member.isfile()}, files)

    def test_a_wrong_digest_leaves_nothing(self):
        claimed = digest_of(b"something else")
        path = f"/api/v1/namespaces/{self.namespace}/blobs/{claimed}"
        status, _, answer = self.server.request("PUT", path, b"the bytes")
        self.assertEqual(status, 422, answer)
        self.assertEqual(self.server.request("HEAD", path)[0], 404)
        self.assertEqual(self.server.request("PUT", path.replace("sha256:", "md5:"), b"")[0], 400)

    def test_another_namespace_learns_nothing_from_a_digest(self):
        secret = os.urandom(200_000)
        self.publish("m", {"w": secret})
        self.mendel("namespace", "create", "outside-" + self.namespace)
        path = f"/api/v1/namespaces/outside-{self.namespace}"
        blob = f"{path}/blobs/{digest_of(secret)}"
        self.assertEqual(self.server.request("HEAD", blob)[0], 404)
        body = json.dumps({"files": [{"path": "w", "digest": digest_of(secret)}]}).encode()
        status, _, _ = self.server.request(
            "POST", f"/api/v1/models/outside-{self.namespace}/m/versions", body)
        self.assertEqual(status, 422)
        self.assertEqual(self.server.request("PUT", blob, secret)[0], 201,
                         "bytes that another namespace has look like new ones")

        attach = json.dumps({"files": [{"path": "w", "digest": digest_of(secret),
                                        "from": f"{self.namespace}/m:1"}]}).encode()
        status, _, answer = self.server.request(
            "POST", f"/api/v1/models/outside-{self.namespace}/m/versions", attach)
        self.assertEqual(status, 201, answer)

    def test_problems_name_the_field_and_the_rule(self):
        self.publish("m", {"w": b"1"})
        digest = digest_of(b"1")
        for files, pointer in (([{"path": "../w", "digest": digest}], "/files/0/path"),
                               ([{"path": "w"}], "/files/0"),
                               ([{"path": "w", "digest": digest, "mode": 1}], "/files/0/mode"),
                               ([{"path": "w", "digest": digest},
                                 {"path": "W", "digest": digest}], "/files/1/path"),
                               ([{"path": "w", "digest": digest},
                                 {"path": "w/x", "digest": digest}], "/files/")):
            status, headers, answer = self.server.request(
                "POST", self.versions("m"), json.dumps({"files": files}).encode())
            self.assertIn(status, (400, 422), answer)
            self.assertEqual(headers["Content-Type"], "application/problem+json")
            problem = json.loads(answer)
            self.assertTrue(any(error["pointer"].startswith(pointer)
                                for error in problem["errors"]), problem)
            self.assertIn(headers["X-Request-Id"], problem["instance"])
        self.assertEqual(len(self.mendel_json("log", f"{self.namespace}/m")), 1)

    def test_no_token_is_401_and_a_stranger_is_told_nothing(self):
        self.publish("m", {"w": b"1"})
        request = urllib.request.Request(self.server.url + self.versions("m") + "/1")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        self.assertEqual(refused.exception.code, 401)

        self.mendel("principal", "create", "stranger-" + self.namespace, "--kind", "service")
        token = self.mendel_json("token", "create", "--name", "test",
                                 "--principal", "stranger-" + self.namespace)
        there = self.server.request("GET", self.versions("m") + "/1", token=token["secret"])
        absent = self.server.request("GET", "/api/v1/models/absent/m/versions/1",
                                     token=token["secret"])
        self.assertEqual((there[0], absent[0]), (404, 404))
        self.assertEqual(json.loads(there[2])["detail"].replace(self.namespace, "X"),
                         json.loads(absent[2])["detail"].replace("absent", "X"))

    @unittest.skipUnless(REAL_DATA, "MENDEL_REAL_DATA names no folder with real input")
    def test_the_real_files_come_out_by_every_way(self):
        folder = pathlib.Path(REAL_DATA) / "lamarr"
        reference = f"{self.namespace}/hepmc"
        self.mendel("push", "dataset", reference, folder / "hepmc", "--alias", "2016MU")
        self.mendel("push", "model", f"{self.namespace}/pv", "--platform",
                    f"x86_64_v2-el9-gcc13-opt={folder / 'PrimaryVertexSmearing.db'}")
        event = (folder / "hepmc/evt0.mc2").read_bytes()
        versions = f"/api/v1/datasets/{reference}/versions"
        by_digest = self.mendel_json("show", reference)["digest"]
        for ref in ("1", "latest", "2016MU", by_digest):
            self.assertEqual(self.get(f"{versions}/{ref}/files/evt0.mc2")[2], event, ref)
        self.assertEqual(self.get(versions + "/1/files/evt0.mc2", Range="bytes=1000-1999")[2],
                         event[1000:2000])
        with tarfile.open(fileobj=io.BytesIO(self.get(versions + "/1/archive")[2])) as tar:
            self.assertEqual(tar.extractfile("evt0.mc2").read(), event)
        self.mendel("pull", reference + "@2016MU", "--to", self.path("pulled"))
        for original in (folder / "hepmc").iterdir():
            self.assertEqual((self.path("pulled") / original.name).read_bytes(),
                             original.read_bytes())
        model = (folder / "PrimaryVertexSmearing.db").read_bytes()
        url = f"/api/v1/models/{self.namespace}/pv/versions/1/files/PrimaryVertexSmearing.db"
        self.assertEqual(self.get(url + "?platform=x86_64_v2-el9-gcc13-opt")[2], model)
        self.assertEqual(self.get(url + "?platform=armv8-el9-gcc13-opt")[0], 404)
        stored = sum(path.stat().st_size for path in (self.server.data / "objects").rglob("*")
                     if path.is_file())
        read = sum(path.stat().st_size for path in (folder / "hepmc").iterdir())
        self.assertLess(stored, read, "text is stored compressed")


class OperationTest(unittest.TestCase):
    """Starting, stopping and repairing."""

    def setUp(self):
        self.server = mendel_fixture.Server()
        self.addCleanup(self.server.remove)
        self.assertEqual(self.server.request("PUT", "/api/v1/namespaces/lhcb", b"{}")[0], 201)

    def publish(self, content):
        digest = digest_of(content)
        blob = f"/api/v1/namespaces/lhcb/blobs/{digest}"
        self.assertIn(self.server.request("PUT", blob, content)[0], (200, 201))
        body = json.dumps({"files": [{"path": "w", "digest": digest}]}).encode()
        status, _, answer = self.server.request("POST", "/api/v1/models/lhcb/m/versions", body)
        self.assertEqual(status, 201, answer)

    def fetch(self, number):
        return self.server.request("GET", f"/api/v1/models/lhcb/m/versions/{number}/files/w")

    def test_what_was_published_is_there_after_a_stop_and_a_start(self):
        self.publish(b"weights")
        self.server.stop()
        self.assertEqual(self.server.process.returncode, 0)
        self.server.start()
        self.assertEqual(self.fetch(1)[2], b"weights")

    def test_a_second_server_refuses_the_same_directory(self):
        done = subprocess.run([os.environ["MENDELD"], "--data", self.server.data,
                               "--listen", "127.0.0.1:0"], capture_output=True, text=True,
                              timeout=60)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.server.request("GET", "/readyz")[0], 200)

    def test_a_new_administrators_token_replaces_the_old(self):
        old = self.server.token
        mode = (self.server.data / "admin-token").stat().st_mode & 0o777
        self.assertEqual(mode, 0o600)
        self.server.stop()
        self.server.options = ("--new-admin-token",)
        self.server.start()
        self.assertNotEqual(self.server.token, old)
        self.assertEqual(self.server.request("GET", "/api/v1/whoami")[0], 200)
        self.assertEqual(self.server.request("GET", "/api/v1/whoami", token=old)[0], 401)

    def test_sends_no_token_in_clear_beyond_loopback(self):
        done = subprocess.run([os.environ["MENDELD"], "--data", self.server.root / "other",
                               "--listen", "0.0.0.0:0"], capture_output=True, text=True,
                              timeout=60)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("--plain-http", done.stderr)

    def test_the_database_has_no_tcp_port(self):
        self.assertEqual(self.server.psql("show listen_addresses"), "")

    # Everything is found again from the object store alone.
    def test_the_index_is_made_again_from_the_object_store(self):
        contents = [os.urandom(size) for size in (0, 10, 100_000, 3_000_000)]
        for content in contents:
            self.publish(content)
        self.server.psql("truncate upload_pack, blob, manifest, pack cascade")
        self.server.stop()
        self.server.start()
        self.assertEqual(self.fetch(1)[0], 500)
        environment = os.environ | {"MENDEL_URL": self.server.url,
                                    "MENDEL_TOKEN": self.server.token}
        subprocess.run([os.environ["MENDEL"], "admin", "fsck", "--rebuild-index"],
                       check=True, env=environment, capture_output=True, timeout=60)
        for number, content in enumerate(contents, start=1):
            self.assertEqual(self.fetch(number)[::2], (200, content))

    def test_speaks_tls(self):
        certificate, key = self.server.root / "cert.pem", self.server.root / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate,
                        "-days", "1", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        self.server.stop()
        with open(self.server.root / "tls.log", "wb") as log:
            process = subprocess.Popen(
                [os.environ["MENDELD"], "--data", self.server.data, "--listen", "127.0.0.1:0",
                 "--tls-certificate", certificate, "--tls-key", key], stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.send_signal, signal.SIGTERM)
        url = self.wait_for_url(self.server.root / "tls.log", process)
        context = ssl.create_default_context(cafile=certificate)
        with urllib.request.urlopen(url + "/readyz", context=context, timeout=10) as answer:
            self.assertEqual(answer.status, 200)
        done = subprocess.run([os.environ["MENDEL"], "whoami", "--cacert", certificate],
                              env=os.environ | {"MENDEL_URL": url,
                                                "MENDEL_TOKEN": self.server.token},
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)

    def wait_for_url(self, log, process):
        while process.poll() is None:
            if found := re.search(r"listening on (https://\S+)", log.read_text()):
                return found[1]
        raise RuntimeError("mendeld did not start:\n" + log.read_text())


if __name__ == "__main__":
    unittest.main(verbosity=2)
