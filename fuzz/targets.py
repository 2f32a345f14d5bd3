"""The targets: where their seeds come from, and what an input of theirs may take."""

from dataclasses import dataclass, field
from typing import Callable, Dict, List

import seeds


@dataclass
class Target:
    name: str
    # Seeds by file name, taken out of `fixtures/vectors`.
    vectors: Callable[[], Dict[str, bytes]] = dict
    # Folders of seeds, from the root of the project.
    folders: List[str] = field(default_factory=list)
    # Whether it meets `unsafe`, and runs with AddressSanitizer.
    unsafe: bool = False
    # The longest input that is made, in octets.
    max_len: int = 4096
    # Words that inputs are made of, in `fuzz/dictionaries`.
    dictionary: str = ""
    # What it may hold of memory, in MB. Without AddressSanitizer this is all that it may ever ask for.
    memory: int = 512


TARGETS = [
    Target("license", vectors=seeds.license, dictionary="json.dict"),
    Target("init_data", vectors=seeds.init_data, dictionary="init_data.dict"),
    Target("text", max_len=1024),
    Target(
        "mp4",
        vectors=seeds.media("mp4", "media/*frag*.mp4", "media/shaka*.mp4", "media/mp4ff*.mp4", "indexed/*.mp4"),
        folders=["fixtures/media/segments"],
        max_len=65_536,
        dictionary="mp4.dict",
    ),
    Target(
        "webm",
        vectors=seeds.media("webm", "media/*.webm", "clear/*.webm", "indexed/*.webm"),
        max_len=65_536,
        dictionary="webm.dict",
    ),
    Target("encrypt", vectors=seeds.encrypt, max_len=32_768, dictionary="mp4.dict"),
    Target("codec", vectors=seeds.codec, max_len=8192),
    Target("manifest", vectors=seeds.media("*", "indexed/*"), max_len=65_536, dictionary="mp4.dict"),
    Target("samples", vectors=seeds.samples, unsafe=True, max_len=1024),
    Target("configurations", max_len=1024, dictionary="configurations.dict"),
    Target("http", dictionary="http.dict"),
    Target("key_files", dictionary="json.dict"),
    Target("records", max_len=2048),
    Target("sessions", max_len=1024, dictionary="sessions.dict"),
    Target("abi", unsafe=True, max_len=1024, dictionary="abi.dict"),
]
