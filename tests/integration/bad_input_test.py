"""Bad input over real HTTP: each is refused by a problem that names the field and the rule, and
changes nothing."""

import contextlib
import hashlib
import json
import socket
import unittest

import mendel_fixture

MIB = 1 << 20
NO_SUCH_DIGEST = "sha256:" + "0" * 64


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


STORED = b"weights"
FILE = {"path": "w", "digest": digest_of(STORED)}

NAMESPACE = "/api/v1/namespaces/lhcb"
MODEL = "/api/v1/models/lhcb/m"
VERSIONS = MODEL + "/versions"
BLOBS = NAMESPACE + "/blobs/"
ALIAS = MODEL + "/aliases/production"


def files(*entries):
    return {"files": [FILE | entry for entry in entries]}


def publish(what, says, body, status=400):
    return (what, "POST", VERSIONS, body, status, says)


def nested(depth):
    return b'{"hyperparameters":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"


# What it is, the request, the status of the answer, and what its problem has to say: the field by
# its pointer where there is one, or the rule.
CASES = [
    # Blobs
    ("another digest", "PUT", BLOBS + NO_SUCH_DIGEST, b"bytes", 422, "have the digest"),
    ("another digest, many chunks", "PUT", BLOBS + NO_SUCH_DIGEST, b"x" * MIB, 422,
     "have the digest"),
    ("another algorithm", "PUT", BLOBS + "md5:00", b"x", 400, "sha256:"),
    ("a short digest", "PUT", BLOBS + "sha256:00", b"x", 400, "64"),
    ("upper-case digits", "PUT", BLOBS + "sha256:" + "A" * 64, b"x", 400, "lower-case"),

    # Documents that are none
    publish("no body", "empty", b""),
    publish("no JSON", "not JSON", b"path=w"),
    publish("JSON cut short", "not JSON", b'{"files":['),
    publish("two documents", "not JSON", b"{}{}"),
    publish("bytes that are not UTF-8", "not JSON", b'{"message":"\xff\xfe"}'),
    publish("half a surrogate pair", "not JSON", b'{"message":"\\ud800"}'),
    publish("a list", "must be an object", b"[]"),
    publish("a member twice", "'message' twice", b'{"message":"a","message":"b"}'),
    publish("deep nesting", "deeper than", nested(100)),
    publish("very deep nesting", "deeper than", b"[" * MIB),
    publish("a number beyond 64 bits", "beyond 64 bits",
            b'{"hyperparameters":{"seed":99999999999999999999}}'),
    publish("a number beyond all numbers", "not JSON", b'{"metrics":{"x":1e999}}'),
    ("a document over its limit", "PUT", ALIAS, b'{"reason":"' + b"x" * 2 * MIB + b'"}', 413,
     "bytes"),

    # Fields
    publish("an unknown field", "/colour", {"files": [FILE], "colour": "red"}),
    publish("an unknown field of a file", "/files/0/mode", files({"mode": 493})),
    publish("an unknown field of the source", "/source/tag",
            {"files": [FILE], "source": {"commit": "a" * 40, "tag": "v1"}}),
    publish("text in place of a list", "/files", {"files": "w"}),
    publish("a number in place of text", "/message", {"files": [FILE], "message": 1}),
    publish("neither files nor a manifest", "/files", {}),
    publish("both files and a manifest", "/files",
            {"files": [FILE], "manifest": NO_SUCH_DIGEST}),
    publish("NUL in text", "/message", {"files": [FILE], "message": "a\0b"}),
    publish("NUL in a label", "/labels", {"files": [FILE], "labels": {"a": "\0"}}),
    publish("NUL in hyperparameters", "/hyperparameters",
            {"files": [FILE], "hyperparameters": {"a": "\0"}}),
    publish("too many labels", "/labels",
            {"files": [FILE], "labels": {str(i): "" for i in range(101)}}),
    publish("a long message", "/message", {"files": [FILE], "message": "x" * 70_000}),
    publish("a metric that is no number", "/metrics", {"files": [FILE], "metrics": {"x": "nan"}}),
    publish("a commit that is none", "/source/commit",
            {"files": [FILE], "source": {"commit": "HEAD"}}),
    publish("a reserved alias", "/aliases", {"files": [FILE], "aliases": ["latest"]}),
    publish("an alias like a number", "/aliases", {"files": [FILE], "aliases": ["17"]}),
    publish("a reference that is none", "/files/0/from", files({"from": "no reference"})),
    publish("a negative size", "/files/0/size", files({"size": -1})),

    # Files
    publish("no files", "neither files", {"files": []}, 422),
    publish("bytes that nobody uploaded", "/files/0/digest", files({"digest": NO_SUCH_DIGEST}),
            422),
    publish("a manifest that nobody uploaded", "/manifest", {"manifest": NO_SUCH_DIGEST}, 422),
    publish("a manifest that is none", "manifest", {"manifest": digest_of(STORED)}, 422),
    publish("another size", "/files/0/size", files({"size": 8}), 422),
    publish("a file without content", "/files/0", {"files": [{"path": "w"}]}, 422),
    publish("a digest that is none", "/files/0/digest", files({"digest": "sha1:00"})),
    publish("a path upwards", "/files/0/path", files({"path": "../w"}), 422),
    publish("an absolute path", "/files/0/path", files({"path": "/w"}), 422),
    publish("an empty path", "/files/0/path", files({"path": ""}), 422),
    publish("an empty part of a path", "/files/0/path", files({"path": "a//w"}), 422),
    publish("a long path", "/files/0/path", files({"path": "w" * 1025}), 422),
    publish("NUL in a path", "/files/0/path", files({"path": "w\0"})),
    publish("a control character in a path", "/files/0/path", files({"path": "w\n"}), 422),
    publish("a path twice", "/files/1/path", files({}, {}), 422),
    publish("paths that differ only by case", "/files/1/path", files({}, {"path": "W"}), 422),
    publish("paths that differ only by case, beyond ASCII", "/files/1/path",
            files({"path": "\u00e4"}, {"path": "\u00c4"}), 422),
    publish("a path that is also a prefix", "/files/", files({}, {"path": "w/x"}), 422),
    publish("a link outside", "/files/0/link",
            {"files": [{"path": "l", "link": "../../etc/passwd"}]}, 422),
    publish("a platform that is none", "/files/0/platform", files({"platform": "a b"}), 422),
    publish("very many files without bytes", "/files/99/digest",
            files(*({"path": str(i), "digest": NO_SUCH_DIGEST} for i in range(200_000))), 422),

    # Names
    ("a namespace with a dot first", "PUT", "/api/v1/namespaces/.x", {}, 400, "must match"),
    ("a namespace of 101 letters", "PUT", "/api/v1/namespaces/" + "x" * 101, {}, 400,
     "must match"),
    ("a namespace in Greek", "PUT", "/api/v1/namespaces/%CE%B1", {}, 400, "must match"),
    ("a namespace in another spelling", "PUT", "/api/v1/namespaces/LHCB", {}, 409, "lhcb"),
    ("a name with a slash", "POST", "/api/v1/models/lhcb/a%2Fb/versions", files({}), 400,
     "must match"),
    ("a name with NUL", "POST", "/api/v1/models/lhcb/a%00/versions", files({}), 400, "NUL"),
    ("a name in bytes that are not UTF-8", "GET", "/api/v1/models/lhcb/%FF", None, 400, "UTF-8"),
    ("a name of another kind", "GET", "/api/v1/datasets/lhcb/m", None, 404, "of kind model"),
    ("half a percent-encoding", "GET", "/api/v1/models/lhcb/%4", None, 400, "percent-encoding"),
    ("an alias with a blank", "PUT", MODEL + "/aliases/a%20b", {"version": 1}, 400, "alias"),
    ("a version number 0", "GET", VERSIONS + "/0", None, 400, "from 1"),
    ("a huge version number", "GET", VERSIONS + "/99999999999", None, 400, "2147483647"),
    ("a limit of 0", "GET", VERSIONS + "?limit=0", None, 400, "limit"),
    ("an unknown parameter", "GET", VERSIONS + "?page=2", None, 400, "'page'"),
    ("a time that is none", "GET", ALIAS + "?at=yesterday", None, 400, "RFC 3339"),
    ("a method that is none", "BREW", VERSIONS, None, 405, "BREW"),

    # What is done to what is there
    ("an alias of no version", "PUT", ALIAS, {"version": 9}, 422, "/version"),
    ("an alias without a version", "PUT", ALIAS, {"reason": "x"}, 400, "/version"),
    ("an alias of half a version", "PUT", ALIAS, {"version": 1.5}, 400, "/version"),
    ("a yank without a reason", "POST", VERSIONS + "/1/yank", {}, 400, "/reason"),
    ("a yank of what an alias points at", "POST", VERSIONS + "/1/yank", {"reason": "x"}, 409,
     "production"),
    ("a force that is text", "POST", VERSIONS + "/1/yank", {"reason": "x", "force": "yes"}, 400,
     "/force"),
    ("a description that is a number", "PATCH", MODEL, {"description": 1}, 400, "/description"),
    ("a visibility that is none", "PUT", NAMESPACE, {"visibility": "secret"}, 400, "/visibility"),
    ("a role that is none", "PUT", NAMESPACE + "/members/admin", {"role": "king"}, 400, "/role"),
    ("a principal that is not there", "PUT", NAMESPACE + "/members/nobody", {"role": "reader"},
     404, "nobody"),
    ("a principal of no kind", "PUT", "/api/v1/principals/robot", {"kind": "robot"}, 400, "/kind"),
    ("a scope that is none", "POST", "/api/v1/tokens", {"scopes": ["everything"]}, 400, "/scopes"),
    ("a token for ever and a day", "POST", "/api/v1/tokens", {"expires_in_days": 1 << 40}, 400,
     "expires_in_days"),
    ("a bundle of what is not there", "POST", VERSIONS + "/1/bundle", {"files": [7]}, 400,
     "/files"),
    ("a question for what is no digest", "POST", "{upload}/blobs", {"digests": ["x"]}, 400,
     "/digests"),
    ("a question for too many", "POST", "{upload}/chunks", {"digests": [NO_SUCH_DIGEST] * 5000},
     400, "/digests"),
    ("an upload that is none", "POST", NAMESPACE + "/uploads/7/blobs", {"digests": []}, 404,
     "upload"),
]

# The same with bytes for the pack reader.
PACKS = [
    ("no pack", b"PK\x03\x04" * 100, "pack"),
    ("a pack of another version", b"MENDELPK\x02" + bytes(100), "pack"),
    ("a pack that ends in its first record", b"MENDELPK\x01" + bytes(7), "pack"),
]

# Requests that are wrong before any of that: the head, and what the status line says.
HEADS = [
    ("no HTTP", "HELO mail.example.org\r\n\r\n", 400),
    ("no host", "GET /healthz HTTP/1.1\r\n\r\n", 400),
    ("a negative length", f"PUT {BLOBS}x HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", 400),
    ("a length in words", f"PUT {BLOBS}x HTTP/1.1\r\nHost: x\r\nContent-Length: five\r\n\r\n", 400),
    ("two lengths", f"PUT {BLOBS}x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
     "Content-Length: 6\r\n\r\n", 400),
    ("a length and chunks", f"PUT {BLOBS}x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
     "Transfer-Encoding: chunked\r\n\r\n", 400),
    ("a field without an end", "GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + "x" * 40_000, 431),
    ("a blank in a name", "GET /healthz HTTP/1.1\r\nHost: x\r\nX Y: z\r\n\r\n", 400),
]


class BadInputTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = mendel_fixture.Server()
        cls.send("PUT", NAMESPACE, {})
        cls.send("PUT", BLOBS + digest_of(STORED), STORED)
        cls.send("POST", VERSIONS, files({}) | {"aliases": ["production"]})
        _, _, answer = cls.send("POST", NAMESPACE + "/uploads")
        cls.upload = f"{NAMESPACE}/uploads/{json.loads(answer)['id']}"

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    @classmethod
    def send(cls, method, path, body=None, headers=(), token=None):
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return cls.server.request(method, path, body, headers, token)

    def state(self):
        """Everything that a request could have changed."""
        lists = ("/api/v1/namespaces", "/api/v1/principals", "/api/v1/tokens", "/api/v1/models",
                 "/api/v1/datasets", NAMESPACE + "/members", MODEL, VERSIONS, ALIAS + "/history",
                 self.upload)
        objects = (self.server.data / "objects/namespaces").rglob("*")
        return ([self.send("GET", path)[2] for path in lists],
                sorted(str(path) for path in objects))

    def require_problem(self, answer, status, says):
        found, headers, body = answer
        self.assertEqual(found, status, body[:1000])
        self.assertEqual(headers["Content-Type"], "application/problem+json")
        problem = json.loads(body)
        self.assertEqual(problem["status"], status)
        self.assertTrue(problem["type"].startswith("/problems/"), problem)
        self.assertIn(headers["X-Request-Id"], problem["instance"])
        errors = problem.get("errors", [])
        self.assertLessEqual(len(errors), 100)
        if says.startswith("/"):
            self.assertTrue(any(error["pointer"].startswith(says) and error["detail"]
                                for error in errors), body[:1000])
        else:
            self.assertIn(says, json.dumps(problem, ensure_ascii=False))

    def test_each_is_refused_by_name_and_changes_nothing(self):
        before = self.state()
        for what, method, path, body, status, says in CASES:
            with self.subTest(what):
                answer = self.send(method, path.replace("{upload}", self.upload), body)
                self.require_problem(answer, status, says)
                self.assertEqual(self.state(), before)

    def test_packs_that_are_none_are_refused(self):
        before = self.state()
        for what, content, says in PACKS:
            with self.subTest(what):
                answer = self.send("POST", self.upload + "/packs", content,
                                   {"Content-Type": "application/vnd.mendel.pack"})
                self.require_problem(answer, 422, says)
                self.assertEqual(self.state(), before)
        answer = self.send("POST", self.upload + "/packs", b"", {"Content-Type": "text/plain"})
        self.require_problem(answer, 400, "Content-Type")

    def test_a_key_is_good_for_one_request(self):
        key = {"Idempotency-Key": "once"}
        self.assertEqual(self.send("POST", VERSIONS, files({}), key)[0], 200)
        before = self.state()
        other = files({}) | {"message": "another"}
        self.require_problem(self.send("POST", VERSIONS, other, key), 422, "Idempotency-Key")
        long_key = {"Idempotency-Key": "x" * 256}
        self.require_problem(self.send("POST", VERSIONS, other, long_key), 400, "Idempotency-Key")
        self.assertEqual(self.state(), before)

    def test_tokens_that_are_none_open_nothing(self):
        status, _, answer = self.send("POST", "/api/v1/tokens", {"name": "old"})
        self.assertEqual(status, 201)
        token = json.loads(answer)
        self.server.psql("update token set created_at = created_at - interval '2 days', "
                         "expires_at = now() - interval '1 day' "
                         f"where id = '{token['id']}'")
        revoked = json.loads(self.send("POST", "/api/v1/tokens", {"name": "revoked"})[2])
        self.assertEqual(self.send("DELETE", "/api/v1/tokens/" + revoked["id"])[0], 204)
        before = self.state()
        for what, authorization in (
                ("expired", "Bearer " + token["secret"]),
                ("revoked", "Bearer " + revoked["secret"]),
                ("unknown", "Bearer mdl_" + "A" * 43),
                ("malformed", "Bearer mdl_\xe9"), ("empty", "Bearer "), ("no scheme", "mdl_x"),
                ("another scheme", "Digest username=admin"), ("no base64", "Basic !!!"),
                ("base64 without a colon", "Basic QUFB"), ("long", "Bearer " + "x" * 10_000)):
            with self.subTest(what):
                answer = self.send("PUT", "/api/v1/namespaces/other", {},
                                   {"Authorization": authorization})
                self.require_problem(answer, 401, "oken")
                self.assertIn("Bearer", answer[1]["WWW-Authenticate"])
                self.assertEqual(self.state(), before)

    def raw(self, request):
        """Everything that the server says to these bytes until it closes, or hangs up on a request
        that cannot be completed any more."""
        host, port = self.server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := connection.recv(65536):
                    answer += piece
            return answer

    def head(self, method, path, length):
        return (f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.server.token}"
                f"\r\nContent-Length: {length}\r\n\r\n").encode()

    def test_heads_that_are_none_are_refused(self):
        for what, request, status in HEADS:
            with self.subTest(what):
                answer = self.raw(request.encode())
                self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % status), answer[:300])
                self.assertIn(b"application/problem+json", answer)

    def test_a_body_that_is_cut_short_is_nothing(self):
        before = self.state()
        for content in (b"short", b"x" * 3 * MIB):
            put = self.head("PUT", BLOBS + digest_of(content[:-1]), len(content))
            self.raw(put + content[:-1])
            self.assertEqual(self.send("HEAD", BLOBS + digest_of(content[:-1]))[0], 404)
        body = json.dumps(files({"path": "other"})).encode()
        self.raw(self.head("POST", VERSIONS, len(body) + 1) + body)
        self.assertEqual(self.state(), before)

    def test_a_body_that_is_longer_than_it_says_is_cut(self):
        before = self.state()
        content = b"content and more"
        answer = self.raw(self.head("PUT", BLOBS + digest_of(content), 7) + content)
        self.assertTrue(answer.startswith(b"HTTP/1.1 422 "), answer)
        self.assertEqual(answer.count(b"HTTP/1.1 "), 2)
        self.assertIn(b"HTTP/1.1 400 ", answer, "what is left over is no request")
        self.assertEqual(self.state(), before)

    def test_garbage_behind_a_request_ends_the_connection(self):
        good = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        answer = self.raw(good + b"\x00\xff\x17 garbage\r\n\r\n" + good)
        self.assertEqual(answer.count(b"HTTP/1.1 200 "), 1)
        self.assertEqual(answer.count(b"HTTP/1.1 400 "), 1)

    def test_served_files_cannot_attack_a_browser(self):
        body = b"<script>alert(1)</script>"
        self.send("PUT", BLOBS + digest_of(body), body)
        name = 'x"\r\nSet-Cookie: a=b;.html'.replace("\r\n", "")
        entry = {"path": "a/" + name, "digest": digest_of(body)}
        status, _, answer = self.send("POST", "/api/v1/models/lhcb/page/versions",
                                      {"files": [entry]})
        self.assertEqual(status, 201, answer)
        version = "/api/v1/models/lhcb/page/versions/1"
        quoted = name.replace(" ", "%20").replace('"', "%22").replace(";", "%3B")
        for path, method, sent in ((f"{version}/files/a/{quoted}", "GET", None),
                                   (f"{version}/archive", "GET", None),
                                   (f"{version}/bundle", "POST", b"{}"),
                                   (f"{version}/recipe/a/{quoted}", "GET", None)):
            with self.subTest(path):
                status, headers, _ = self.send(method, path, sent)
                self.assertEqual(status, 200)
                self.assertTrue(headers["Content-Disposition"].startswith("attachment"))
                self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
                self.assertEqual(headers["Content-Security-Policy"], "sandbox")
                self.assertNotIn("html", headers["Content-Type"])
                self.assertIsNone(headers["Set-Cookie"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
