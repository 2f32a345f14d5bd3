#!/usr/bin/env python3
"""No key is where it has no business: in the log of any format, the numbers, an answer but a license, the arguments.

Looks for each key as hex, base64, base64url and octets, after all the abuse that is quick, after key files that are
broken in many ways, and after clients that mix up keys and key ids. See ../README.md.
"""

from __future__ import annotations

import base64
import json
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import material
import wire
from abuse import QUICK
from checks import Checks, figure
from groups import crowd
from rig import Rig, arguments, rig, wait

FORMATS = [("--log", "text"), ("--log", "json"), ("--quiet",)]


def main() -> None:
    """Runs everything."""
    options = arguments(__doc__).parse_args()
    checks = Checks()
    with ThreadPoolExecutor() as pool:
        for job in [pool.submit(one, options.clearkey, checks, log) for log in FORMATS]:
            job.result()
    checks.end()


def one(program: Path, checks: Checks, log: tuple[str, ...]) -> None:
    """Everything, in one format of the log."""
    with rig(program, checks, *log) as made:
        look(made, " ".join(log))


def look(made: Rig, log: str) -> None:
    """Abuses a server, and looks for keys in all that it says."""
    made.server.heard = heard = []
    for group in QUICK:
        if group is not crowd.run:
            group(made)
    broken = broken_files(made)
    derived = seeded(made)
    mistaken = mistakes(made)
    texts = [
        wire.ask(made.server, wire.request("GET", target)).body for target in ("/metrics", "/streams", "/")
    ]
    arguments_seen = made.server.command_line()
    license = wire.ask(
        made.server, wire.request("POST", "/", body=material.license_request([made.keys[7].kid]))
    )
    logs = [path.read_bytes() for path in sorted(made.work.glob("log-*"))]

    checks = made.checks
    checks.that(found([license.body], made.keys) == [made.keys[7]], f"{log}: no key is found where one is")
    checks.that(log == "--quiet" or sum(map(len, logs)) > 100_000, f"{log}: the log is short")
    served = [*made.keys, *broken, *derived]
    refusals = [body for status, _, body in heard if status >= 400]
    checks.that(len(refusals) > 500, f"{log}: {len(refusals)} refusals only")
    for what, octets, keys in (
        ("the log", logs, [*served, *mistaken]),
        ("the numbers, the list of streams, or the page", texts, [*served, *mistaken]),
        ("the arguments", [arguments_seen], served),
        ("a refusal", refusals, served),
        ("the head of an answer", [head for _, head, _ in heard], [*served, *mistaken]),
    ):
        checks.same(len(found(octets, keys)), 0, f"{log}: keys in {what}")
    figure(
        f"{log}: {len(served) + len(mistaken)} keys, {len(heard)} answers, {sum(map(len, logs)) >> 10} KiB of log"
    )


def found(texts: list[bytes], keys: list[material.Key]) -> list[material.Key]:
    """The keys that stand in a text."""
    whole = b"\n".join(texts)
    # Hex in any case.
    folded = whole.lower()
    return [
        key
        for key in keys
        if key.key.hex().encode() in folded or any(spelling in whole for spelling in key.spellings())
    ]


def broken_files(made: Rig) -> list[material.Key]:
    """Key files with something wrong at a key. Returns the keys that stand in them."""
    path, good = made.work / "keys.txt", material.key_lines(made.keys)
    keys = material.keys(20, seed=3)
    wrong = [
        lambda kid, key: f"{kid.hex()} {key.hex()}\n",
        lambda kid, key: f"{kid.hex()}:{key.hex()}0\n",
        lambda kid, key: f"{kid.hex()}:{key.hex()}:{key.hex()}\n",
        lambda kid, key: f"{key.hex()}\n",
        lambda kid, key: f":{key.hex()}\n",
        lambda kid, key: f"{key.hex()}:\n",
        lambda kid, key: f"{kid.hex()}:{key.hex().upper()}x\n",
        lambda kid, key: f"{kid.hex()}:0x{key.hex()}\n",
        lambda kid, key: f"{kid.hex()}:{base64.b64encode(key).decode()}=\n",
        lambda kid, key: f"x{kid.hex()}:{key.hex()}\n",
        lambda kid, key: f'{{"keys":[{{"kty":"oct","kid":"{material.base64url(kid)}","k":"{key.hex()}"}}]}}',
        lambda kid, key: f'{{"keys":[{{"kty":"oct","kid":"AA","k":"{material.base64url(key)}"}}',
        lambda kid, key: f'{{"keys":[{{"kty":"{key.hex()}","kid":"AA","k":"{material.base64url(key)}"}}]}}',
        lambda kid, key: f'{{"keys":[{{"kty":"oct","kid":1,"k":"{material.base64url(key)}"}}]}}',
        lambda kid, key: f'{{"keys":["{material.base64url(key)}"]}}',
        lambda kid, key: f'{{"keys":"{material.base64url(key)}"}}',
        lambda kid, key: f'{{"{material.base64url(key)}":[]}}',
        lambda kid, key: f'{{"keys":[{{"kty":"oct","kid":"AA","{key.hex()}":1}}]}}',
        lambda kid, key: f'{{"keys":[{{"kty":"oct","kid":"AA","k":"{base64.b64encode(key).decode()}"}}]}}',
        lambda kid, key: f'{{"keys":[{{"kty":"oct","kid":"{material.base64url(kid)}","k":"{material.base64url(key)}"}}]}} x',
    ]
    complaints = lambda: made.server.log().count("cannot be read again")
    for key, line in zip(keys, wrong):
        before = complaints()
        text = line(key.kid, key.key)
        path.write_text(text if text.startswith("{") else good + text)
        is_told = wait(lambda: complaints() > before, 3)
        made.checks.that(is_told, f"nothing is said of a broken file: {text}")
    path.write_text(good)
    wait(lambda: "were read again" in made.server.log()[-2000:], 2)
    return keys


def seeded(made: Rig) -> list[material.Key]:
    """Keys of a seed, and the seed, as keys."""
    seed = random.Random(4).randbytes(30)
    file = made.work / "seed"
    file.write_bytes(base64.b64encode(seed) + b"\n")
    keys = [material.Key(b"", seed)]
    with made.another("--rate", "0", "--seed-file", str(file)) as server:
        for kid in (bytes([number] * 16) for number in range(5)):
            answer = wire.ask(server, wire.request("POST", "/", body=material.license_request([kid])))
            text = json.loads(answer.body)["keys"][0]["k"]
            keys.append(material.Key(kid, base64.urlsafe_b64decode(text + "==")))
        wire.ask(server, wire.request("POST", "/", body=b'{"kids":['))
        made.checks.that(not found([server.command_line()], keys), "a seed in the arguments")
    return keys


def mistakes(made: Rig) -> list[material.Key]:
    """Clients that send keys, of their own. The one who sent them may be told of them, and nobody else."""
    keys = material.keys(10, seed=5)
    for key in keys:
        text, hex_text = material.base64url(key.key), key.key.hex()
        for octets in (
            wire.request("POST", "/", body=material.license_request([key.key])),
            wire.request("POST", "/", body=material.license_request([key.key, made.keys[0].kid])),
            wire.request(
                "POST", "/", body=json.dumps({"kids": [hex_text + "="], "type": "temporary"}).encode()
            ),
            wire.request("POST", "/", body=json.dumps({"kids": ["AA"], "type": text}).encode()),
            wire.request("POST", "/", body=json.dumps({text: hex_text}).encode()),
            wire.request("POST", "/", body=key.line().encode()),
            wire.request("POST", f"/?key={hex_text}", body=b"{}"),
            wire.request("POST", f"/{hex_text}", body=b"{}"),
            wire.request("GET", f"/page/{text}"),
            wire.request("GET", f"/media/video.mp4?key={text}"),
            wire.request("GET", "/streams", {"authorization": f"Bearer {hex_text}", "cookie": f"k={text}"}),
            wire.request("GET", "/streams", {"user-agent": hex_text, "referer": f"http://a/{text}"}),
            wire.request("GET", "/healthz", {"origin": f"http://{hex_text}"}),
            wire.request(hex_text, "/"),
            f"GET / HTTP/1.1\r\n{hex_text}\r\n\r\n".encode(),
        ):
            with wire.Connection(made.server) as connection:
                connection.send(octets)
                heard, made.server.heard = made.server.heard, None
                connection.answer(octets.split(b" ")[0].decode())
                made.server.heard = heard
    return keys


if __name__ == "__main__":
    main()
