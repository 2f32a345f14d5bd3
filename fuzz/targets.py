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
    # Words that inputs are made of, from `fuzz/`.
    dictionary: str = ""
    # What it may hold of memory, in MB. Without AddressSanitizer this is all that it may ever ask for.
    memory: int = 512


TARGETS = [
    Target("abi", unsafe=True, max_len=1024, dictionary="dictionaries/abi.dict"),
    Target("configurations", max_len=1024, dictionary="dictionaries/configurations.dict"),
    Target("http", dictionary="dictionaries/http.dict"),
    Target("key_files", dictionary="dictionaries/json.dict"),
    Target("license", vectors=seeds.license, dictionary="dictionaries/json.dict"),
    Target("records", max_len=2048),
    Target("sessions", max_len=1024, dictionary="dictionaries/sessions.dict"),
]
