"""The page of a KPI report, as people see it: drawn by headless Chromium, and looked at.

Skipped where there is no Chromium (Debian's package chromium).
"""

import json
import pathlib
import re
import shutil
import struct
import subprocess
import unittest
import zlib

import mendel_fixture

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
               None)
WIDTH, HEIGHT = 1000, 1400

TEAL = (0x1f, 0x6f, 0x8b)  # the curve, and bars
ORANGE = (0xb7, 0x41, 0x0e)  # the threshold
GREEN = (0x2d, 0x7d, 0x46)  # what is reached
SHEET = (0xff, 0xff, 0xff)
DESK = (0xf4, 0xf6, 0xf8)  # around the sheet on a screen


def count_near(line, colour):
    """How many pixels of a line have a colour, or nearly: edges are smoothed."""
    red, green, blue = colour
    return sum(abs(r - red) < 40 and abs(g - green) < 40 and abs(b - blue) < 40
               for r, g, b in line)


def unfiltered(kind, line, above, step):
    """One line of a PNG (section 9 of its standard)."""
    if kind == 0:
        return line
    if kind == 2:
        return bytearray((a + b) & 255 for a, b in zip(line, above))
    for at in range(len(line)):
        left = line[at - step] if at >= step else 0
        if kind == 1:
            guess = left
        elif kind == 3:
            guess = (left + above[at]) // 2
        else:
            corner = above[at - step] if at >= step else 0
            near = [(abs(above[at] - corner), 0, left), (abs(left - corner), 1, above[at]),
                    (abs(left + above[at] - 2 * corner), 2, corner)]
            guess = min(near)[2]
        line[at] = (line[at] + guess) & 255
    return line


def read_png(path):
    """Its lines, each a list of (red, green, blue)."""
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, packed = 8, b""
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        chunk = data[at + 8:at + 8 + size]
        if name == b"IHDR":
            width, height, depth, colour = struct.unpack_from(">IIBB", chunk)
        if name == b"IDAT":
            packed += chunk
        at += size + 12
    step = {2: 3, 6: 4}[colour]
    assert depth == 8
    raw, size = zlib.decompress(packed), width * step
    lines, above = [], bytearray(size)
    for line in range(height):
        begin = line * (size + 1)
        above = unfiltered(raw[begin], bytearray(raw[begin + 1:begin + 1 + size]), above, step)
        lines.append([tuple(above[x:x + 3]) for x in range(0, size, step)])
    return lines


@unittest.skipUnless(BROWSER, "no Chromium here")
class KpiPageTest(mendel_fixture.ServerTest):
    def put(self, kpi, **document):
        document = {"title": "About " + kpi, "namespaces": [self.namespace], **document}
        status, _, body = self.server.request("PUT", "/api/v1/kpis/" + kpi,
                                              json.dumps(document).encode())
        self.assertEqual(status, 201, body)

    def record(self, kpi, event_id, value, day):
        event = {"kpi": kpi, "namespace": self.namespace, "event_id": event_id, "value": value,
                 "occurred_at": day + "T12:00:00Z", "evidence": ["https://example.org/" + event_id],
                 "subject": {"campaign": "2016MU"}}
        status, _, body = self.server.request("POST", "/api/v1/kpi-events",
                                              json.dumps(event).encode())
        self.assertEqual((status, json.loads(body)["accepted"]), (200, 1), body)

    def browse(self, page, *options):
        subprocess.run([BROWSER, "--headless", "--no-sandbox", "--disable-gpu",
                        "--hide-scrollbars", f"--user-data-dir={self.directory / 'profile'}",
                        f"--window-size={WIDTH},{HEIGHT}", *options, page.as_uri()],
                       check=True, capture_output=True, timeout=120)

    def page(self):
        self.put("K1", unit="events", threshold=1000, deadline="2024-12-31")
        self.put("K2", threshold=2)
        self.record("K1", "a", 300, "2023-10-02")
        self.record("K1", "b", 250, "2024-01-15")
        self.record("K2", "c", 3, "2024-01-20")
        status, headers, body = self.server.request(
            "GET", "/api/v1/kpi-report?format=html&by=campaign&until=2024-02-13")
        self.assertEqual(status, 200, body)
        self.assertIn("text/html", headers["Content-Type"])
        page = pathlib.Path(self.directory) / "report.html"
        page.write_bytes(body)
        return page

    def test_shows_the_curve_below_the_threshold_and_prints_on_few_sheets(self):
        page = self.page()

        picture = self.directory / "page.png"
        self.browse(page, f"--screenshot={picture}")
        lines = read_png(picture)
        self.assertEqual((len(lines[0]), len(lines)), (WIDTH, HEIGHT))
        counts = {colour: [count_near(line, colour) for line in lines]
                  for colour in (TEAL, ORANGE, GREEN, SHEET)}

        # A sheet on a desk, with nothing that reaches beyond it.
        middle = lines[HEIGHT // 2]
        self.assertEqual((middle[2], middle[WIDTH - 3]), (DESK, DESK))
        self.assertGreater(sum(counts[SHEET]), WIDTH * HEIGHT // 2)
        # The threshold is a dashed line over most of the chart, and the curve below it.
        threshold = next(at for at in range(HEIGHT) if counts[ORANGE][at] > 250)
        dashes = [x for x, colour in enumerate(lines[threshold]) if count_near([colour], ORANGE)]
        self.assertGreater(dashes[-1] - dashes[0], 500)
        curve = [at for at in range(threshold - 10, threshold + 240) if counts[TEAL][at] > 100]
        self.assertTrue(curve, "no curve")
        self.assertGreater(min(curve), threshold + 40)
        # A bar that is full, and one that is not.
        self.assertGreater(max(counts[GREEN]), 60)
        self.assertGreater(max(counts[TEAL][:threshold - 60]), 30)

        printed = self.directory / "page.pdf"
        self.browse(page, "--no-pdf-header-footer", f"--print-to-pdf={printed}")
        sheets = len(re.findall(rb"/Type\s*/Page\b", printed.read_bytes()))
        self.assertIn(sheets, range(1, 4))


if __name__ == "__main__":
    unittest.main()
