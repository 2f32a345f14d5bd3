"""Machine code as objdump shows it: functions, instructions, operands, and what jump tables and imports hold."""

import re
import struct
import subprocess


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout


def families():
    names = {}
    for letter in "abcd":
        for name in (f"r{letter}x", f"e{letter}x", f"{letter}x", f"{letter}l", f"{letter}h"):
            names[name] = f"r{letter}x"
    for pair in ("si", "di", "bp", "sp"):
        for name in (f"r{pair}", f"e{pair}", pair, f"{pair}l"):
            names[name] = f"r{pair}"
    for number in range(8, 16):
        for suffix in ("", "d", "w", "b"):
            names[f"r{number}{suffix}"] = f"r{number}"
    for number in range(32):
        for letter in "xyz":
            names[f"{letter}mm{number}"] = f"v{number}"
    for number in range(8):
        names[f"k{number}"] = f"k{number}"
    return names


FAMILY = families()
SIZES = {"BYTE": 1, "WORD": 2, "DWORD": 4, "QWORD": 8, "XMMWORD": 16, "YMMWORD": 32, "ZMMWORD": 64}
ADDRESS = re.compile(r"(?:(\w+) (?:PTR|BCST) )?\[([^\]]*)\]")


def signed(text):
    """A number; objdump writes negative ones as 64 bits have them."""
    number = int(text, 16)
    return number - ((number >> 63) << 64)


class Memory:
    """An operand in memory: how many octets from where."""

    def __init__(self, text):
        size, inside = ADDRESS.search(text).groups()
        self.size = SIZES.get(size)
        self.base, self.index, self.displacement = None, None, 0
        for sign, term in re.findall(r"([+-]?)([^+-]+)", inside):
            if "*" in term:
                self.index = FAMILY.get(term.split("*")[0])
            elif term in FAMILY or term == "rip":
                self.base = FAMILY.get(term, "rip")
            else:
                self.displacement += -signed(term) if sign == "-" else signed(term)


class Instruction:
    """An instruction: its name, its operands, and the mask that it works under."""

    def __init__(self, address, text):
        self.address = address
        text, _, self.comment = text.partition("#")
        text = re.sub(r"^(?:(?:data16|cs|rep|notrack|bnd) )+", "", text.strip())
        self.name, _, rest = text.strip().partition(" ")
        rest = re.sub(r"<.*", "", rest).strip()
        self.mask = re.search(r"\{(k[1-7])\}", rest)
        self.mask = self.mask and self.mask[1]
        self.keeps = self.mask and "{z}" not in rest
        self.operands = [part.strip() for part in re.split(r",(?![^\[]*\])", re.sub(r"\{[^}]*\}", "", rest)) if part.strip()]

    def target(self):
        return int(self.operands[0], 16) if re.fullmatch(r"[0-9a-f]+", self.operands[0]) else None


def is_register(text):
    return text in FAMILY


def is_vector(text):
    return is_register(text) and FAMILY[text].startswith("v")


def is_part(text):
    """Whether the rest of a register stays as it is when this is written."""
    return re.fullmatch(r"[a-d][xlh]|[sd]il?|[sb]pl?|r\d+[bw]", text)


class Binary:
    """Functions by address, and what is needed to know where their jumps lead."""

    def __init__(self, path, functions):
        self.octets = open(path, "rb").read()
        self.functions, self.names = {}, {}
        self.sections = self.read_sections()
        text = run("objdump", "-d", "-C", "--no-show-raw-insn", "-M", "intel", "-w", path)
        current = None
        for line in text.splitlines():
            if found := re.match(r"([0-9a-f]+) <(.*)>:$", line):
                self.names[int(found[1], 16)] = found[2]
                current = [] if functions(found[2]) else None
                if current is not None:
                    self.functions[int(found[1], 16)] = current
            elif current is not None and (found := re.match(r" *([0-9a-f]+):\t(.*)$", line)):
                current.append(Instruction(int(found[1], 16), found[2]))
        self.imports = {}
        for line in run("readelf", "-rW", path).splitlines():
            fields = line.split()
            if len(fields) == 4 and fields[2] == "R_X86_64_RELATIVE":
                self.imports[int(fields[0], 16)] = self.names.get(int(fields[3], 16), "?")
            elif len(fields) >= 5 and re.fullmatch("[0-9a-f]{12,}", fields[0]):
                self.imports[int(fields[0], 16)] = fields[4]

    def read_sections(self):
        (offset,) = struct.unpack_from("<Q", self.octets, 40)
        size, count = struct.unpack_from("<HH", self.octets, 58)
        headers = (struct.unpack_from("<IIQQQQ", self.octets, offset + at * size) for at in range(count))
        return [(address, place, length) for _, _, _, address, place, length in headers if address]

    def number_at(self, address):
        """The signed 32 bits at an address: an entry of a jump table."""
        for start, place, length in self.sections:
            if start <= address <= start + length - 4:
                return struct.unpack_from("<i", self.octets, place + address - start)[0]
        return None

    def callee(self, instruction):
        if instruction.target() is not None:
            return self.names.get(instruction.target(), "?")
        found = re.match(r"\s*([0-9a-f]+)", instruction.comment)
        return self.imports.get(int(found[1], 16), "?") if found else "?"
