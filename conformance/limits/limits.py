"""Measures what the costliest inputs cost, way by way; see `run`."""

import argparse
import collections
import http.client
import multiprocessing
import os
import pathlib
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
# Elements of two to six octets, each of them planned, passed on and written by itself: microseconds for each.
TINY, TINY_SECONDS = {"voids", "empty_clusters", "clusters_without_end"}, 3.0
# `encrypt` holds a key and settings for each of 17,000 tracks.
ENCRYPT_MEMORY = 96 * MIB
# A process that took too long is given other chances: machines are busy.
CHANCES = 3
# A user's own keys are expanded for the kernel, 5.6 kB each, whose lines have 66 octets.
EXPANDED = 128

Row = collections.namedtuple("Row", "what way octets outcome cpu memory failed")

# What each file is to meet, so that it is known to get there: the exit code and some words. Of `mpd` and
# `encrypt` only clear files are asked.
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
    (mp4.moofs_to_the_end, {"mpd": (2, "moof")}),
    (mp4.clear_tracks, {"encrypt": (0, "")}),
    (webm.blocks, {"decrypt": (0, "were clear")}),
    (webm.encrypted_blocks, {"decrypt": (0, "samples decrypted"), "compact": (0, "samples decrypted")}),
    (webm.empty_clusters, {"decrypt": (0, "0 samples decrypted")}),
    (webm.voids, {"decrypt": (0, "0 samples decrypted")}),
    (webm.clusters_without_end, {"decrypt": (0, "0 samples decrypted")}),
    (webm.many_tracks, {"decrypt": (0, "0 samples decrypted"), "missing": (1, "no key"), "request": (0, "kids")}),
    (webm.many_clear_tracks, {"encrypt": (0, "")}),
    (webm.seeks, {"decrypt": (0, "1 samples decrypted"), "compact": (0, "1 samples decrypted")}),
    (webm.cues_and_blocks, {"compact": (0, "samples decrypted")}),
    (webm.clusters_in_blocks, {"mpd": (2, "Cues")}),
]


class Limits:
    def __init__(self, clearkey, work):
        self.clearkey, self.work, self.rows = clearkey, work, []

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
        failed = []
        if process.returncode not in (0, 1, 2) or "panicked" in words:
            failed.append(f"exit code {process.returncode}: {words[:300]}")
        elif expected and (process.returncode != expected[0] or expected[1] not in words):
            failed.append(f"exit code {process.returncode}, and not {expected}: {words[:300]}")
        return Row(what, way, length, process.returncode, cpu, memory, failed)

    def keep(self, row, scale):
        most = TINY_SECONDS if row.what in TINY else SECONDS
        if scale > 1:
            # Of what is over at once, nothing can be said about how it grows.
            small = [each.cpu for each in self.rows if (each.what, each.way) == (row.what, row.way)]
            most = TIMES * max(small[0] if small else 0, most / scale)
        if row.cpu > most:
            row.failed.append(f"{row.cpu:.2f} s of a CPU, and not {most:.2f}")
        memory = {"decrypt --keys-file": EXPANDED * row.octets, "encrypt": ENCRYPT_MEMORY * scale}
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
                    "mpd": [*encrypt, "-o", folder, "--mpd", folder / "a.mpd"],
                }
            for way, arguments in ways.items():
                given = path if way.endswith("-") else None
                self.run(maker.__name__, way, arguments, length, expected.get(way), given, scale)
                out.unlink(missing_ok=True)
                shutil.rmtree(self.work / "folder", ignore_errors=True)
                if "mpd" in ways:
                    folder.mkdir()
            shutil.rmtree(self.work / "folder", ignore_errors=True)

    def messages(self, octets, scale):
        if scale == 1:
            segment = self.make(mp4.samples_of_an_octet, 1000)
            for maker, expected in ((texts.longest_license, (1, "no key")), (texts.nested_json, (2, ""))):
                path = self.make(maker, octets)
                arguments = ["decrypt", segment, "-o", self.work / "out", "--license", path]
                self.run(maker.__name__, "decrypt --license", arguments, path.stat().st_size, expected)
            request = self.make(texts.longest_request, octets)
            length = request.stat().st_size
            self.run("longest_request", "license", ["license", "--key", KEY, "--request", request], length, (1, ""))
            for maker in (texts.pssh_boxes, texts.short_pssh_boxes):
                path = self.make(maker, octets)
                arguments = ["init-data", "explain", "cenc", "-"]
                self.run(maker.__name__, "init-data explain", arguments, path.stat().st_size, None, path)
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


def usage_of(pid):
    """Seconds of a CPU, and the most octets of memory so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return cpu, int(line.split()[1]) * 1024
    raise RuntimeError("a process without memory")


def table(rows):
    lines = ["| input | way | octets | outcome | CPU | memory |", "|---|---|--:|---|--:|--:|"]
    for row in rows:
        numbers = f"{row.octets:,} | {row.outcome} | {row.cpu:.2f} s | {row.memory / MIB:.0f} MiB"
        lines.append(f"| `{row.what}` | {row.way} | {numbers} |")
    return "\n".join(lines) + "\n"


HEAD = """# Limits

What inputs cost that ask for as much work as their length allows, as `limits/run CLEARKEY --out DIR` saw it on two
cores of an AMD EPYC (Zen 4), Debian 12, Rust 1.95, in November 2026. What each input is: `limits/mp4.py`, `webm.py`,
`texts.py`. The outcome is an exit code or a status; 2 is a refusal. Memory is the most that was resident, the 10 MiB of the
program itself included. The most expensive rows first.

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
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        rows = sorted(limits.rows, key=lambda row: -row.cpu)
        (arguments.out / "README.md").write_text(HEAD + table(rows))
    failed = sum(bool(row.failed) for row in limits.rows)
    worst = max(limits.rows, key=lambda row: row.cpu)
    print(f"most time: {worst.cpu:.2f} s, {worst.way}: {worst.what}; in all {time.monotonic() - start:.0f} s")
    print(f"limits: {len(limits.rows) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
