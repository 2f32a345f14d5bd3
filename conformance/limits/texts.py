"""Messages, initialization data and key files that are as long as they may be."""

import base64
import json
import struct

import mp4


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def license_of(count):
    """A JWK set of the shortest keys."""
    keys = [f'{{"kty":"oct","k":"{base64url(bytes(16))}","kid":"{base64url(struct.pack(">H", at))}"}}' for at in range(count)]
    return ('{"keys":[' + ",".join(keys) + "]}").encode()


def longest_license(_):
    """As many keys as fit into 65,536 octets."""
    each = len(license_of(2)) - len(license_of(1))
    return license_of((65_536 - len(license_of(0))) // each)


def key_file(octets):
    line = "{:032x}:" + "5a" * 16 + "\n"
    return "".join(line.format(at + 1) for at in range(octets // len(line.format(0)))).encode()


def key_file_as_json(octets):
    each = len(license_of(2)) - len(license_of(1))
    return license_of(min(65_535, octets // each))


def nested_json(_):
    """As deep as a license may be long: a longer one is not parsed at all."""
    return b'{"keys":' + b"[" * (65_536 - 8)


def longest_request(_):
    """128 key ids of 512 octets."""
    kids = [base64url(struct.pack(">H", at) * 256) for at in range(128)]
    return json.dumps({"kids": kids, "type": "temporary"}).encode()


def longest_keyids(_):
    """128 key ids in 65,536 octets."""
    kids = [base64url(struct.pack(">H", at) * 190) for at in range(128)]
    return json.dumps({"kids": kids}).encode()


def pssh_boxes(_):
    """65,536 octets of initialization data."""
    return mp4.pssh(1, *map(mp4.kid, range(100))) * 39


def short_pssh_boxes(_):
    return mp4.pssh() * (65_536 // len(mp4.pssh()))
