"""The packaged client in a root directory that has nothing but it, over TLS, and how it gets there.

Needs root, or to be root in a user namespace, for chroot.
"""

import base64
import hashlib
import json
import os
import pathlib
import random
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import unittest
import urllib.error
import urllib.request

import mendel_fixture

PROJECT = pathlib.Path(__file__).resolve().parents[2]
HOST = "registry.test"
CHROOT = [] if os.geteuid() == 0 else ["/usr/bin/unshare", "--map-root-user"]
CHROOT += [shutil.which("chroot", path="/usr/sbin:/usr/bin:/sbin:/bin")]


class NameServer:
    """Answers every question for an address with 127.0.0.1 (RFC 1035), on a loopback address."""

    ADDRESS = "127.53.53.53"

    def __init__(self):
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.ADDRESS, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            query, client = self.socket.recvfrom(512)
            end = query.index(b"\0", 12) + 5
            question, kind = query[12:end], query[end - 4:end - 2]
            self.asked.append(question)
            answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes([127, 0, 0, 1])
            found = kind == b"\0\1"
            head = query[:2] + struct.pack(">HHHHH", 0x8580, 1, int(found), 0, 0)
            self.socket.sendto(head + question + (answer if found else b""), client)


class ClientPackageTest(mendel_fixture.ServerTest):
    @classmethod
    def setUpClass(cls):
        cls.made = pathlib.Path(tempfile.mkdtemp(prefix="mendel-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.made, ignore_errors=True)
        subprocess.run([PROJECT / "ci/package-client", "--program", os.environ["MENDEL"],
                        "--to", cls.made / "client"], check=True, capture_output=True)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test",
                        "-addext", f"subjectAltName=DNS:{HOST},IP:127.0.0.1",
                        "-keyout", cls.made / "key.pem", "-out", cls.made / "certificate.pem"],
                       check=True, capture_output=True)
        for name in ("CURL_CA_BUNDLE", "SSL_CERT_DIR"):
            os.environ.pop(name, None)
        os.environ["SSL_CERT_FILE"] = str(cls.made / "certificate.pem")
        cls.server_options = ("--tls-certificate", cls.made / "certificate.pem",
                              "--tls-key", cls.made / "key.pem",
                              "--client-dir", cls.made / "client")
        super().setUpClass()

    def setUp(self):
        super().setUp()
        if subprocess.run([*CHROOT, "/", "/bin/true"], capture_output=True).returncode != 0:
            self.skipTest("chroot is not allowed here")
        self.root = self.path("root")
        for directory in ("etc", "job"):
            (self.root / directory).mkdir(parents=True)
        (self.root / "opt").mkdir()
        subprocess.run('curl -sSf "$URL/client/mendel-linux-$(uname -m).tar.gz" | tar xz',
                       shell=True, check=True, cwd=self.root / "opt",
                       env=os.environ | {"URL": self.server.url})
        self.trust("etc/ssl/certs/ca-certificates.crt")
        (self.root / "etc/hosts").write_text(f"127.0.0.1 {HOST}\n")
        (self.root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
        (self.root / "job/token").write_text(self.server.token)

    def request(self, method, path, **headers):
        """Status, headers and bytes, as somebody who has no token."""
        request = urllib.request.Request(self.server.url + path, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def trust(self, file):
        """Makes the server's certificate the only one there is, at this place."""
        shutil.rmtree(self.root / "etc/ssl", ignore_errors=True)
        shutil.rmtree(self.root / "etc/pki", ignore_errors=True)
        (self.root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.made / "certificate.pem", self.root / file)

    def inside(self, *arguments, status=0, program="/opt/mendel/bin/mendel", **changes):
        done = subprocess.run(
            [*CHROOT, self.root, program, *map(str, arguments)], timeout=120,
            env={"HOME": "/job"} | changes, capture_output=True, text=True,
            stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def login(self):
        port = self.server.url.rsplit(":", 1)[1]
        self.inside("login", f"https://{HOST}:{port}", "--token-file", "/job/token")

    def test_does_everything_where_there_is_nothing_else(self):
        content = random.Random(1).randbytes(3 << 20)
        (self.root / "job/lib.so").write_bytes(content)
        self.login()
        self.inside("push", "model", f"{self.namespace}/x", "/job/lib.so")
        self.inside("pull", f"{self.namespace}/x", "--to", "/job/in")
        self.assertEqual((self.root / "job/in/lib.so").read_bytes(), content)
        self.inside("verify", "/job/in")
        self.inside("verify", f"{self.namespace}/x")
        self.inside("pull", f"{self.namespace}/x", "--to", "/job/cached",
                    MENDEL_CACHE="/job/cache")
        with open(self.root / "job/in/lib.so", "r+b") as file:
            file.write(b"flip")
        self.inside("verify", "/job/in", status=14)

    def test_finds_the_certificates_of_other_distributions(self):
        for file in ("etc/pki/tls/certs/ca-bundle.crt", "etc/ssl/ca-bundle.pem"):
            self.trust(file)
            self.login()
            self.inside("whoami")

    def test_trusts_nobody_without_certificates(self):
        self.login()
        self.trust("etc/elsewhere.pem")
        self.inside("whoami", status=1)
        self.inside("whoami", SSL_CERT_FILE="/etc/elsewhere.pem")

    def test_asks_the_hosts_name_server(self):
        try:
            names = NameServer()
        except OSError as error:
            self.skipTest(f"port 53 cannot be taken here: {error}")
        (self.root / "etc/hosts").write_text("")
        (self.root / "etc/resolv.conf").write_text(f"nameserver {NameServer.ADDRESS}\n")
        self.login()
        self.inside("whoami")
        self.assertTrue(names.asked)

    def test_runs_from_anywhere_and_by_any_name(self):
        (self.root / "opt/mendel").rename(self.root / "job/with spaces")
        (self.root / "bin").mkdir()
        (self.root / "bin/m").symlink_to("/job/with spaces/bin/mendel")
        for program in ("/job/with spaces/bin/mendel", "job/with spaces/bin/mendel", "m"):
            self.assertIn("mendel ", self.inside("--version", program=program, PATH="/bin"))

    def test_takes_no_library_of_the_host(self):
        other = self.root / "job/libraries"
        other.mkdir()
        for library in ("libcurl.so.4", "libstdc++.so.6", "libc.so.6"):
            (other / library).write_text("not a library")
        self.inside("--version", LD_LIBRARY_PATH="/job/libraries")

    def test_has_the_licences_of_all_that_it_brings(self):
        licences = {path.name for path in (self.root / "opt/mendel/share/doc").iterdir()}
        for package in ("libc6", "libcurl4", "libssl3", "libstdc++6", "nlohmann-json3-dev"):
            self.assertIn(package, licences)
        packages = (self.root / "opt/mendel/share/doc/packages").read_text().splitlines()
        self.assertEqual({line.split()[0] for line in packages} | {"packages"}, licences)

    def test_brings_the_python_file(self):
        file = self.root / "opt/mendel/share/mendel/python/mendel_run.py"
        self.assertIn("def start(", file.read_text())

    def test_is_served_to_anybody_with_its_digest(self):
        status, _, listed = self.request("GET", "/client/")
        self.assertEqual(status, 200)
        [package] = json.loads(listed)["items"]
        path = "/client/" + package["name"]
        status, headers, content = self.request("GET", path)
        self.assertEqual((status, len(content)), (200, package["size_bytes"]))
        digest = hashlib.sha256(content)
        self.assertEqual(package["digest"], "sha256:" + digest.hexdigest())
        self.assertEqual(headers["ETag"], f'"{package["digest"]}"')
        self.assertEqual(headers["Repr-Digest"],
                         f"sha-256=:{base64.b64encode(digest.digest()).decode()}:")
        status, again, body = self.request("HEAD", path)
        self.assertEqual((status, body, again["Content-Length"]), (200, b"", str(len(content))))
        self.assertEqual(self.request("GET", path, **{"If-None-Match": headers["ETag"]})[0], 304)

    def test_serves_nothing_else(self):
        hidden = self.made / "client/.hidden"
        hidden.write_text("secret")
        self.addCleanup(hidden.unlink)
        for name, status in (("absent", 404), (".hidden", 400), ("..%2fkey.pem", 400),
                             ("%2e%2e", 400), ("../key.pem", 404), ("a/b", 404)):
            self.assertEqual(self.request("GET", "/client/" + name)[0], status, name)

    def test_says_where_none_is_packaged(self):
        server = mendel_fixture.Server("--client-dir", self.path("absent"))
        self.addCleanup(server.remove)
        status, _, problem = server.request("GET", "/client/")
        self.assertEqual(status, 404)
        self.assertIn("no client is packaged", json.loads(problem)["detail"])


if __name__ == "__main__":
    unittest.main()
