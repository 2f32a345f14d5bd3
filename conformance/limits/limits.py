"""Measures what the costliest inputs cost, way by way; see `run`."""

import argparse
import base64
import collections
import http.client
import multiprocessing
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import mp4
import texts
import webm

MIB = 1 << 20
KEY = "10000000100010001000100000000001:3a2a1b68dd2bd9b2eeb25e84c4776668"
SECONDS, MEMORY = 1.0, 64 * MIB
# By how much 16 times the length may take longer.
TIMES = 20
# `encrypt` holds a key and settings for each of 17,000 tracks.
ENCRYPT_MEMORY = 96 * MIB
# A process that took too long is given other chances: machines are busy.
CHANCES = 3
# A user's own keys are expanded for the kernel, 5.6 kB each, whose lines have 66 octets.
EXPANDED = 128

Row = collections.namedtuple("Row", "what way octets outcome cpu memory failed")

# What each file is to meet, so that it is known to get there: the exit code and some words. Of `mpd`, `hls` and
# `encrypt` only clear files are asked. Where nothing is said, it is as with `decrypt` in another way.
LONGER, WITHIN = (2, "it is longer than its segment"), (2, "is inside of another box")
MANY = (2, "a manifest wants one in each file")
MEDIA = [
    (mp4.trafs_and_kids, {"decrypt": (0, "0 samples decrypted"), "missing": (1, "no key")}),
    (mp4.tracks_and_trafs, {"decrypt": (0, "0 samples decrypted")}),
    (mp4.tracks_and_trexs, {"decrypt": (0, "0 samples decrypted")}),
    (mp4.entries_of_formats, {"decrypt": (0, "0 samples decrypted"), "inspect": (0, "")}),
    (mp4.empty_boxes, {"decrypt": (0, "0 samples decrypted")}),
    (mp4.movies, {"decrypt": (0, "0 samples decrypted")}),
    (mp4.psshs, {"decrypt": (0, "0 samples decrypted"), "inspect": (0, "")}),
    (mp4.kids_of_a_pssh, {"decrypt": (0, "0 samples decrypted"), "inspect": (0, "")}),
    (mp4.empty_runs, {"decrypt": (0, "0 samples decrypted")}),
    (mp4.empty_runs_protected, {"decrypt": (2, "the number of samples is")}),
    (mp4.samples_of_an_octet, {"decrypt": (0, "samples decrypted")}),
    (mp4.samples_with_keys_of_their_own, {"decrypt": (1, "no key")}),
    (mp4.empty_subsamples, {"decrypt": (0, "samples decrypted")}),
    (mp4.nested, {"decrypt": (2, "is inside of another box")}),
    (mp4.fragments, {"decrypt": (0, "samples decrypted"), "compact": (0, "samples decrypted")}),
    (mp4.index_entries_and_holes, {"compact": (0, "0 samples decrypted")}),
    (mp4.random_access_and_holes, {"compact": (0, "0 samples decrypted")}),
    (mp4.moofs_to_the_end, {"mpd": LONGER, "hls": LONGER, "encrypt": WITHIN, "inspect": WITHIN}),
    (mp4.psshs_of_another_system, {"mpd": (0, "1 clear"), "hls": (0, ""), "inspect": (0, "")}),
    (mp4.clear_tracks_in_a_fragment, {"encrypt": (0, " samples encrypted"), "mpd": MANY, "hls": MANY}),
    (mp4.clear_tracks, {"encrypt": (0, ""), "mpd": MANY, "hls": MANY}),
    (webm.blocks, {"decrypt": (0, "were clear")}),
    (webm.encrypted_blocks, {"decrypt": (0, "samples decrypted"), "compact": (0, "samples decrypted")}),
    (webm.empty_clusters, {"decrypt": (0, "0 samples decrypted")}),
    (webm.voids, {"decrypt": (0, "0 samples decrypted")}),
    (webm.clusters_without_end, {"decrypt": (0, "0 samples decrypted")}),
    (webm.many_tracks, {"decrypt": (0, "0 samples decrypted"), "missing": (1, "no key"), "request": (0, "kids")}),
    (webm.many_clear_tracks, {"encrypt": (0, ""), "mpd": MANY}),
    (webm.seeks, {"decrypt": (0, "1 samples decrypted"), "compact": (0, "1 samples decrypted")}),
    (webm.cues_and_blocks, {"compact": (0, "samples decrypted")}),
    (webm.clusters_in_blocks, {"mpd": (0, "samples encrypted")}),
]


def expected_of(expected, way):
    """What a file is to meet that is not said of this way: what it meets in another."""
    code = expected.get("decrypt", expected.get("compact", (0, "")))[0]
    if way in expected or way in ("encrypt", "mpd", "hls"):
        return expected.get(way)
    if way in ("decrypt -", "compact", "in place"):
        return code, ""
    # Without keys, and with those that are missing allowed, only a file that is refused is.
    return (2, "") if code == 2 else (0, "") if way.startswith("inspect") else None


class Limits:
    def __init__(self, clearkey, work):
        self.clearkey, self.work, self.rows, self.floor = clearkey, work, [], 0

    def make(self, maker, octets):
        """Writes an input. In a process of its own: what this one holds counts as its children's memory."""
        name = maker.__name__ + (".webm" if maker.__module__ == "webm" else "")
        path = self.work / name
        child = multiprocessing.Process(target=lambda: path.write_bytes(maker(octets)))
        child.start()
        child.join()
        if child.exitcode:
            raise RuntimeError(f"{name} cannot be made")
        return path

    def run(self, what, way, arguments, length, expected=None, stdin=None, scale=1):
        for _ in range(CHANCES):
            row = self.once(what, way, arguments, length, expected, stdin)
            # In place there is only one.
            if row.cpu <= SECONDS or way == "in place":
                break
        self.keep(row, scale)

    def once(self, what, way, arguments, length, expected, stdin):
        with open(stdin or os.devnull, "rb") as given, open(self.work / "said", "w+b") as said:
            command = [str(self.clearkey), *map(str, arguments)]
            process = subprocess.Popen(command, stdin=given, stdout=said, stderr=said)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            words = said.read(MIB).decode(errors="replace")
        cpu, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
        # The system counts what this process held when it began the other as that one's.
        self.floor = max(self.floor, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
        failed = []
        if process.returncode not in (0, 1, 2) or "panicked" in words:
            failed.append(f"exit code {process.returncode}: {words[:300]}")
        elif expected and (process.returncode != expected[0] or expected[1] not in words):
            failed.append(f"exit code {process.returncode}, and not {expected}: {words[:300]}")
        return Row(what, way, length, process.returncode, cpu, memory, failed)

    def keep(self, row, scale):
        most = SECONDS
        if scale > 1:
            # Of what is over at once, nothing can be said about how it grows.
            small = [each.cpu for each in self.rows if (each.what, each.way) == (row.what, row.way)]
            most = TIMES * max(small[0] if small else 0, most / scale)
        if row.cpu > most:
            row.failed.append(f"{row.cpu:.2f} s of a CPU, and not {most:.2f}")
        memory = {"encrypt": ENCRYPT_MEMORY * scale}
        memory |= dict.fromkeys(("decrypt --keys-file", "16 times --license"), EXPANDED * row.octets)
        if row.memory > memory.get(row.way, MEMORY * scale):
            row.failed.append(f"{row.memory / MIB:.0f} MiB of memory")
        self.rows.append(row)
        for reason in row.failed:
            print(f"FAILED: {row.way}: {row.what}, {row.octets} octets: {reason}", flush=True)

    def media(self, octets, scale):
        out = self.work / "out"
        for maker, expected in MEDIA:
            path = self.make(maker, octets)
            length = path.stat().st_size
            # What the samples are is noise.
            decrypt = ["decrypt", "--key", KEY, "--no-verify"]
            ways = {
                "inspect": ["inspect", path],
                "inspect -": ["inspect", "-"],
                "decrypt": [*decrypt, path, "-o", out],
                "decrypt -": [*decrypt, "-", "-o", out],
                "compact": [*decrypt, path, "-o", out, "--compact"],
                "missing": [*decrypt, path, "-o", out, "--allow-missing-keys"],
                "request": ["request", path],
                "in place": [*decrypt, path, "--in-place"],
            }
            if {"encrypt", "mpd"} & set(expected):
                folder = self.work / "folder"
                folder.mkdir()
                encrypt = ["encrypt", path, "--key", KEY]
                ways = {
                    "inspect": ways["inspect"],
                    "encrypt": [*encrypt, "-o", out],
                    # What is encrypted reads as anything, another time each time.
                    "mpd": [*encrypt, "-o", folder, "--mpd", folder / "a.mpd", "--clear-lead", "100000"],
                    "hls": [*encrypt, "-o", folder, "--hls", folder / "a.m3u8", "--clear-lead", "100000"],
                }
                if maker.__module__ == "webm":
                    del ways["hls"]
            for way, arguments in ways.items():
                given = path if way.endswith("-") else None
                self.run(maker.__name__, way, arguments, length, expected_of(expected, way), given, scale)
                out.unlink(missing_ok=True)
                shutil.rmtree(self.work / "folder", ignore_errors=True)
                if "mpd" in ways:
                    folder.mkdir()
            shutil.rmtree(self.work / "folder", ignore_errors=True)

    def messages(self, octets, scale):
        if scale == 1:
            segment = self.make(mp4.samples_of_an_octet, 1000)
            for maker, expected in ((texts.longest_license, (1, "no key")), (texts.nested_json, (2, "recursion"))):
                path = self.make(maker, octets)
                arguments = ["decrypt", segment, "-o", self.work / "out", "--license", path]
                self.run(maker.__name__, "decrypt --license", arguments, path.stat().st_size, expected)
            request = self.make(texts.longest_request, octets)
            length = request.stat().st_size
            arguments = ["license", "--key", KEY, "--request", request]
            self.run("longest_request", "license", arguments, length, (1, "no key for KID"))
            licenses = ["--license", self.make(texts.longest_license, octets)] * 16
            length = 16 * (self.work / "longest_license").stat().st_size
            arguments = ["decrypt", segment, "-o", self.work / "out", *licenses]
            self.run("longest_license", "16 times --license", arguments, length, (1, "no key"))
            for maker, kind, expected in (
                (texts.pssh_boxes, "cenc", (0, "KID")),
                (texts.short_pssh_boxes, "cenc", (2, "no pssh box of the common system")),
                (texts.longest_keyids, "keyids", (0, "KID")),
            ):
                path = self.make(maker, octets)
                length = path.stat().st_size
                arguments = ["init-data", "explain", kind, "-"]
                self.run(maker.__name__, "init-data explain", arguments, length, expected, path)
                given = path.read_bytes() if kind == "keyids" else base64.b64encode(path.read_bytes())
                expected = (0, "kids") if expected[0] == 0 else expected
                self.run(maker.__name__, f"request --{kind}", ["request", f"--{kind}", given.decode()], length, expected)
        keys = self.make(texts.key_file, octets)
        segment = self.make(mp4.samples_of_an_octet, 1000)
        arguments = ["decrypt", segment, "-o", self.work / "out", "--keys-file", keys]
        self.run("key_file", "decrypt --keys-file", arguments, keys.stat().st_size, (1, "no key"), None, scale)

    def server(self, octets, scale):
        """Key files and messages of `serve`, whose memory and time are read while it runs."""
        request = texts.longest_request(0)
        for maker in (texts.key_file, texts.key_file_as_json):
            keys = self.make(maker, octets)
            command = [self.clearkey, "serve", "--keys-file", keys, "--bind", "127.0.0.1:0", "--quiet"]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            try:
                address = process.stdout.readline().strip().rstrip("/").rpartition("/")[2]
                cpu, memory = usage_of(process.pid)
                self.keep(Row(maker.__name__, "serve", keys.stat().st_size, "serves", cpu, memory, []), scale)
                if scale > 1:
                    continue
                for _ in range(100):
                    connection = http.client.HTTPConnection(address, timeout=30)
                    connection.request("POST", "/", request)
                    status = connection.getresponse().status
                    connection.close()
                after, memory = usage_of(process.pid)
                failed = [] if status == 404 else [f"status {status}"]
                each = (after - cpu) / 100
                self.keep(Row("longest_request", "POST, each of 100", len(request), status, each, memory, failed), 1)
            finally:
                process.terminate()
                process.wait()

    def ranges(self, octets):
        """Requests for a stream that ask for it in a costly way."""
        folder = self.work / "streams"
        folder.mkdir()
        (folder / "a.mp4").write_bytes(bytes(octets))
        many = "bytes=" + ",".join(["0-"] * 2000)
        headers = {f"X-{at}": "1" for at in range(500)}
        asked = {
            "whole": ({}, 200),
            "one_octet": ({"Range": "bytes=0-0"}, 206),
            "many_ranges": ({"Range": many}, 416),
            "longest_range": ({"Range": f"bytes=0-{2**64 - 1}"}, 206),
            "range_without_end": ({"Range": f"bytes={'9' * 4000}-"}, 416),
            "many_headers": (headers, 431),
            "long_header": ({"X": "a" * 60_000}, 431),
        }
        command = [self.clearkey, "serve", "--key", KEY, "--media", folder, "--bind", "127.0.0.1:0", "--rate", "0"]
        command.append("--quiet")
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            address = process.stdout.readline().strip().rstrip("/").rpartition("/")[2]
            for what, (given, expected) in asked.items():
                before, _ = usage_of(process.pid)
                for _ in range(50):
                    connection = http.client.HTTPConnection(address, timeout=30)
                    connection.request("GET", "/media/a.mp4", headers=given)
                    answer = connection.getresponse()
                    answer.read()
                    connection.close()
                after, memory = usage_of(process.pid)
                failed = [] if answer.status == expected else [f"status {answer.status}, and not {expected}"]
                length = sum(len(name) + len(value) for name, value in given.items())
                self.keep(Row(what, "GET, each of 50", length, answer.status, (after - before) / 50, memory, failed), 1)
        finally:
            process.terminate()
            process.wait()


def usage_of(pid):
    """Seconds of a CPU, and the most octets of memory so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return cpu, int(line.split()[1]) * 1024
    raise RuntimeError("a process without memory")


def table(rows, floor):
    lines = ["| input | way | octets | outcome | CPU | memory |", "|---|---|--:|---|--:|--:|"]
    for row in rows:
        memory = f"{row.memory / MIB:.0f} MiB"
        if row.memory <= floor and " each of " not in row.way and row.way != "serve":
            memory = f"at most {floor / MIB:.0f} MiB"
        numbers = f"{row.octets:,} | {row.outcome} | {row.cpu:.2f} s | {memory}"
        lines.append(f"| `{row.what}` | {row.way} | {numbers} |")
    return "\n".join(lines) + "\n"


HEAD = """# Limits

What inputs cost that ask for as much work as their length allows, as `limits/run CLEARKEY --out DIR` saw it on two
cores of an AMD EPYC (Zen 4), Debian 12, Rust 1.95, in November 2026. What each input is: `limits/mp4.py`, `webm.py`,
`texts.py`. The outcome is an exit code or a status; 2 is a refusal. Memory is the most that was resident, the program
itself included; "at most" is what the measuring process held, below which it cannot see. The most expensive rows first.

"""


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--clearkey", type=pathlib.Path, required=True)
    arguments.add_argument("--large", action="store_true")
    arguments.add_argument("--out", type=pathlib.Path)
    arguments = arguments.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as work:
        limits = Limits(arguments.clearkey.resolve(), pathlib.Path(work))
        for scale in (1, 16) if arguments.large else (1,):
            limits.media(scale * MIB, scale)
            limits.messages(scale * MIB, scale)
            # A key file of more than 16 MiB is refused.
            limits.server(scale * MIB - 1, scale)
        limits.ranges(MIB)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        rows = sorted(limits.rows, key=lambda row: -row.cpu)
        (arguments.out / "README.md").write_text(HEAD + table(rows, limits.floor))
    failed = sum(bool(row.failed) for row in limits.rows)
    worst = max(limits.rows, key=lambda row: row.cpu)
    print(f"most time: {worst.cpu:.2f} s, {worst.way}: {worst.what}; in all {time.monotonic() - start:.0f} s")
    print(f"limits: {len(limits.rows) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
