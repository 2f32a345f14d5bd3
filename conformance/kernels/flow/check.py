#!/usr/bin/env python3
"""Follows secrets through the machine code of the kernels: none may decide a jump or an address.

    check.py BINARY KERNEL...       every function of those kernels, as the compiler made them
    check.py --controls OBJECT      functions that leak, each in a way of its own, and some that do not: controls.s

valgrind does the same with programs that run, and does not know VAES. This is for the kernels that need it. It reads
`objdump -d`, and follows every register, flag and place on the stack along every path, until nothing changes.

Where values come from:

* A kernel gets the address of a closure, which holds addresses and lengths; `ctr` gets the halves of a counter in two registers
  before it. These are public.
* What lies behind those addresses is secret: keys, samples, chains. So is what is made of it.
* Constants, and tables of them in the binary, are public.

One exception: `cbc_encrypt_lanes` finds its blocks by a table of lanes, whose addresses and lengths lie behind an address.
There, eight octets that are loaded into a general register are public. Blocks go through vectors, and whole.

What is complained about: a jump by flags that a secret has set, an address or a mask of memory made of a secret, a
division, a gather, a call with a secret for an argument, and instructions that this script does not know.
"""

import re
import sys

from machine_code import Binary
from function import Function

METHODS = {"ctr", "ctr_gathered", "cbc_decrypt", "cbc_decrypt_gathered", "cbc_encrypt", "cbc_encrypt_lanes", "expand"}
# A chain is encrypted with two blocks in a register at most, whatever the kernel.
NARROW = {"vaes512": {"cbc_encrypt", "cbc_encrypt_lanes"}}

KERNEL = re.compile(r"<cenc::aes::x86_64::(\w+)::\w+ as cenc::aes::x86_64::isa::Isa>::vectorize::with_features")
CALLER = re.compile(r"cenc::aes::x86_64::(expand)$|Expanded<.*> as cenc::aes::Cipher>::(\w+)$")


def kernels(path, wanted):
    """The functions of kernels, by what calls them."""
    binary = Binary(path, lambda name: KERNEL.search(name) or CALLER.search(name))
    functions, seen = {}, {name: set() for name in wanted}
    for address, code in binary.functions.items():
        caller = CALLER.search(binary.names[address])
        for instruction in code if caller else []:
            if instruction.name in ("call", "jmp") and instruction.operands and instruction.target() in binary.functions:
                kernel = KERNEL.search(binary.names[instruction.target()])
                if kernel and kernel[1] in seen:
                    method = caller[1] or caller[2]
                    seen[kernel[1]].add(method)
                    functions[instruction.target()] = (kernel[1], method)
    for address in binary.functions:
        kernel = KERNEL.search(binary.names[address])
        if kernel and kernel[1] in seen:
            functions.setdefault(address, (kernel[1], "called by nobody known"))
    missing = {name: METHODS - NARROW.get(name, set()) - methods for name, methods in seen.items()}
    functions = [(kernel, method, Function(binary, address, method)) for address, (kernel, method) in functions.items()]
    return functions, {name: methods for name, methods in missing.items() if methods}


def controls(path):
    """Whether what leaks is complained about, and the rest is not."""
    binary = Binary(path, lambda name: True)
    failed = 0
    for address, name in binary.names.items():
        complaints = Function(binary, address).follow()
        is_right = bool(complaints) == name.startswith("bad_")
        failed += not is_right
        print(f"{'ok' if is_right else 'FAILED'}: {name}: {complaints[0] if complaints else 'no complaint'}")
    print(f"flow: {len(binary.names) - failed} passed, {failed} failed")
    return failed == 0 and len(binary.names) > 0


def check(path, wanted):
    """Whether there are all functions of the kernels, and nothing in them depends on a secret."""
    functions, missing = kernels(path, wanted)
    failed = len(missing)
    for kernel, method, function in functions:
        complaints = function.follow()
        failed += bool(complaints)
        print(f"{'FAILED' if complaints else 'ok'}: {kernel}, {method}: {function.reached} of {len(function.code)} instructions")
        for complaint in complaints:
            print(f"    {complaint}")
    for kernel, methods in missing.items():
        print(f"FAILED: {kernel}: not found: {', '.join(sorted(methods))}")
    print(f"flow: {len(functions) + len(missing) - failed} passed, {failed} failed")
    return failed == 0 and len(functions) > 0


if __name__ == "__main__":
    first, *rest = sys.argv[1:]
    sys.exit(0 if (controls(*rest) if first == "--controls" else check(first, rest)) else 1)
