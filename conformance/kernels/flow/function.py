"""A function, followed along every path until nothing more is learned: what is secret where."""

import re

from machine_code import FAMILY, Memory, is_part, is_register, is_vector, signed

# What is known of a value, from harmless to secret: a number; the address of constants; the address of the closure; what
# came out of that; a secret. Beside them ("stack", n): an address n octets from where the stack was at the start, and
# ("object", n): one from there on, within the object that lies there. An object ends where the next begins: that
# accesses keep within bounds is for AddressSanitizer to prove.
NUMBER, TABLE, CLOSURE, PUBLIC, SECRET = "number", "table", "closure", "public", "secret"
RANK = {NUMBER: 0, TABLE: 1, CLOSURE: 2, PUBLIC: 3, SECRET: 4}


def join(a, b):
    """What is known of a value that is one or the other."""
    if a == b:
        return a
    if isinstance(a, tuple) and isinstance(b, tuple):
        return ("object", min(a[1], b[1]))
    if isinstance(a, tuple) or isinstance(b, tuple):
        place, other = (a, b) if isinstance(a, tuple) else (b, a)
        return {NUMBER: ("object", place[1])}.get(other, SECRET if other == SECRET else PUBLIC)
    return max(a, b, key=RANK.get)


def joined(values):
    result = NUMBER
    for value in values:
        result = value if result == NUMBER else join(result, value)
    return result


# What a kernel is handed, in registers: its closure; of `ctr` in front of it the halves of a counter.
HANDED = {"ctr": {"rdi": PUBLIC, "rsi": PUBLIC, "rdx": CLOSURE}}


class State:
    """What is known before an instruction: of registers by the name of their whole, of flags, of octets on the stack."""

    def __init__(self, values, stack=None):
        self.values = values
        self.stack = stack or {}

    @classmethod
    def at_entry(cls, method):
        return cls({**HANDED.get(method, {"rdi": CLOSURE}), "rsp": ("stack", 0)})

    def copy(self):
        return State(dict(self.values), dict(self.stack))

    def get(self, name):
        return self.values.get(FAMILY.get(name, name), NUMBER)

    def merge(self, other):
        """Takes in what is so on another path. Whether that changed anything."""
        changed = False
        for mine, others in ((self.values, other.values), (self.stack, other.stack)):
            for key in set(mine) | set(others):
                value = join(mine.get(key, NUMBER), others.get(key, NUMBER))
                if value != mine.get(key, NUMBER):
                    mine[key], changed = value, True
        return changed


# Instructions by what they do. One that is in no list is complained about.
MOVES = re.compile(
    r"v?mov(aps|apd|ups|upd|dqa|dqu|dqa32|dqa64|dqu8|dqu16|dqu32|dqu64|[dq]|hps|lps|hlps|lhps)|mov|movabs|movzx|movsxd?|cdqe|"
    r"v?p?broadcast(ss|sd|[bwdq]|[if]\d+(x\d+)?)|kmov[bwdq]"
)
VECTORS = re.compile(
    r"v?(aes(enc|dec)(last)?|(p?(xor|andn?|or))(ps|pd|[dq])?|pternlog[dq]|p?insr?[bwdq]|insert[if]\d+(x\d+)?|pinsr[bwdq]|"
    r"extract[if]\d+(x\d+)?|pextr[bwdq]|perm[qd]|permt2[bwdq]|perm2[if]128|palignr|align[dq]|shuf[if]\d+x\d+|shufp[sd]|"
    r"pshuf(b|d|hw|lw)|punpck[lh](bw|wd|dq|qdq)|padd[bwdq]|psub[bwdq]|ps[lr]l(dq|[wdq])|p?blend\w+|pmov[sz]x\w+|"
    r"pcmp(eq|gt|u)?[bwdq]|ptestn?m[bwdq]|p?movmsk(b|ps|pd))|k(and|or|xor|not|shift[lr])[bwdq]"
)
ARITHMETIC = {"add", "sub", "and", "or", "xor", "neg", "adc", "sbb", "imul", "bt", "cmp", "test"}
COUNTS = {"inc", "dec"}
SHIFTS = {"shl", "shr", "sar", "rol", "ror", "shld", "shrd"}
VECTOR_FLAGS = re.compile(r"v?ptest|v?u?comis[sd]|k(or)?test[bwdq]")
ONLY_FLAGS = {"cmp", "test", "bt"}
QUIET = {"lea", "not", "bswap"}
NOTHING = {"vzeroupper", "endbr64"}
REFUSED = re.compile(r"i?div|vp?gather|vp?scatter|vmaskmov|enter|leave|loop")


class Function:
    """A function of a binary, which may be the method of a kernel."""

    def __init__(self, binary, address, method=None):
        self.binary, self.address, self.method = binary, address, method
        self.code = binary.functions[address]
        self.at = {instruction.address: number for number, instruction in enumerate(self.code)}
        self.complaints = {}
        # Where objects on the stack begin.
        self.objects = set()

    def complain(self, instruction, why):
        self.complaints[instruction.address] = f"{instruction.address:x}: {instruction.name} {', '.join(instruction.operands)}: {why}"

    def follow(self):
        """All complaints, once it is known what lies on the stack."""
        known = None
        while known != self.objects:
            known = set(self.objects)
            self.complaints = {}
            self.walk()
        return list(self.complaints.values())

    def walk(self):
        states = {0: State.at_entry(self.method)}
        waiting = [0]
        while waiting:
            number = waiting.pop()
            if number >= len(self.code):
                continue
            state = states[number].copy()
            for successor in self.step(number, state):
                if successor not in states:
                    states[successor] = state.copy()
                    waiting.append(successor)
                elif states[successor].merge(state):
                    waiting.append(successor)
        self.reached = len(states)

    # What an operand is.

    def parts(self, state, memory):
        """What is known of the two parts of an address, the one that leads to an object first."""
        base = TABLE if memory.base == "rip" else state.get(memory.base) if memory.base else NUMBER
        index = state.get(memory.index) if memory.index else None
        return (index, base) if isinstance(index, tuple) else (base, index)

    def address_of(self, state, memory):
        base, index = self.parts(state, memory)
        if not isinstance(base, tuple):
            return joined([base, index or NUMBER]) if memory.base != "rip" else TABLE
        if index == SECRET:
            return SECRET
        start = base[1] + memory.displacement if base[0] == "stack" else base[1]
        self.objects.add(start)
        return ("stack" if base[0] == "stack" and index is None else "object", start)

    def places(self, base, index, memory, size):
        """The octets of the stack that an operand may mean, and whether it is known which."""
        start = base[1] + memory.displacement if base[0] == "stack" else base[1]
        if base[0] == "stack" and index is None:
            return range(start, start + size), True
        self.objects.add(start)
        return range(start, min((place for place in self.objects if place > start), default=start + 4096)), False

    def load(self, instruction, state, text, vector):
        memory = Memory(text)
        base, index = self.parts(state, memory)
        if isinstance(base, tuple):
            places, _ = self.places(base, index, memory, memory.size)
            return joined(state.stack.get(place, NUMBER) for place in places)
        if base == TABLE:
            return NUMBER
        if base == CLOSURE:
            if index or not 0 <= memory.displacement < 64 or memory.size > 16:
                self.complain(instruction, "its argument is not a closure")
            return PUBLIC
        if self.method == "cbc_encrypt_lanes" and not vector and memory.size == 8:
            return PUBLIC
        return SECRET

    def store(self, instruction, state, text, value):
        memory = Memory(text)
        base, index = self.parts(state, memory)
        if isinstance(base, tuple):
            places, is_exact = self.places(base, index, memory, memory.size)
            for place in places:
                replaces = is_exact and not instruction.mask
                state.stack[place] = value if replaces else join(state.stack.get(place, NUMBER), value)
        elif value == SECRET and (base == CLOSURE or (self.method == "cbc_encrypt_lanes" and memory.size == 8)):
            self.complain(instruction, "a secret where public values are read")

    def read(self, instruction, state, text, vector=False):
        if is_register(text):
            return state.get(text)
        if "[" in text:
            return self.load(instruction, state, text, vector)
        return NUMBER

    def write(self, instruction, state, text, value):
        if not is_register(text):
            self.store(instruction, state, text, value)
            return
        if instruction.keeps or is_part(text):
            value = join(state.get(text), value)
        state.values[FAMILY[text]] = value

    def is_decided(self, state, condition):
        """Whether a secret decides a condition: `ne`, `ae`, ..."""
        carry = re.search("[abc]", condition)
        return SECRET in (state.get("flags"), state.get("carry") if carry else NUMBER)

    # What an instruction does, and what comes next.

    def step(self, number, state):
        instruction = self.code[number]
        name, operands = instruction.name, instruction.operands
        following = [number + 1]
        if name in NOTHING or name.startswith("nop") or (name == "xchg" and len(set(operands)) == 1):
            return following
        for text in operands:
            if "[" in text and name != "lea":
                memory = Memory(text)
                if SECRET in self.parts(state, memory):
                    self.complain(instruction, "an address made of a secret")
                if instruction.mask and state.get(instruction.mask) == SECRET:
                    self.complain(instruction, "a mask made of a secret")
        if name == "jmp":
            return self.jump(instruction, state)
        if name.startswith("j"):
            if self.is_decided(state, name[1:]):
                self.complain(instruction, "a jump that a secret decides")
            return following + self.jump(instruction, state)
        if name in ("ret", "ud2", "int3", "hlt"):
            return []
        if name == "call":
            return self.call(instruction, state, following)
        if REFUSED.match(name):
            self.complain(instruction, "an instruction that takes its time, or its addresses, from what it works on")
        elif name in ("push", "pop"):
            self.push_or_pop(instruction, state)
        else:
            self.compute(instruction, state)
        return following

    def push_or_pop(self, instruction, state):
        kind, depth = state.get("rsp")
        if kind != "stack":
            self.complain(instruction, "who knows where the stack is")
        elif instruction.name == "push":
            value = self.read(instruction, state, instruction.operands[0])
            state.values["rsp"] = (kind, depth - 8)
            state.stack.update({place: value for place in range(depth - 8, depth)})
        else:
            values = [state.stack.get(depth + at, NUMBER) for at in range(8)]
            self.write(instruction, state, instruction.operands[0], joined(values))
            state.values["rsp"] = (kind, depth + 8)

    def jump(self, instruction, state):
        target = instruction.target()
        if target is not None:
            if target in self.at:
                return [self.at[target]]
            self.complain(instruction, "out of the function")
            return []
        if not is_register(instruction.operands[0]) or state.get(instruction.operands[0]) == SECRET:
            self.complain(instruction, "a jump to a secret address, or to one in memory")
            return []
        return self.tables(instruction)

    def tables(self, instruction):
        """Where a jump by a table may lead: to what any table of this function names. Entries are offsets from the table
        into the function."""
        found = set()
        for place in (re.match(r"\s*([0-9a-f]+)", before.comment) for before in self.code if before.name == "lea"):
            if place:
                start = entry = int(place[1], 16)
                while (offset := self.binary.number_at(entry)) is not None and start + offset in self.at:
                    found.add(self.at[start + offset])
                    entry += 4
        if not found:
            self.complain(instruction, "a jump by a table that is not there")
        return sorted(found)

    def call(self, instruction, state, following):
        callee = self.binary.callee(instruction)
        if re.search(r"panic|slice_.*fail|len_mismatch|unwrap_failed|expect_failed", callee):
            return []
        if not re.search(r"^(memcpy|memmove|memset)\b", callee):
            self.complain(instruction, f"calls {callee}")
        for register in ("rdi", "rsi", "rdx"):
            if state.get(register) == SECRET and not (callee.startswith("memset") and register == "rsi"):
                self.complain(instruction, "calls with a secret")
        target = state.get("rdi")
        if isinstance(target, tuple) and not callee.startswith("memset"):
            state.stack.update({place: SECRET for place in range(target[1], target[1] + 4096)})
        for register in ("rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "flags", "carry"):
            state.values[register] = NUMBER
        state.values["rax"] = target
        state.values.update({f"v{vector}": SECRET for vector in range(32)})
        return following

    def compute(self, instruction, state):
        name, operands = instruction.name, instruction.operands
        move, flags = MOVES.fullmatch(name), VECTOR_FLAGS.fullmatch(name)
        if re.match("cmov|set", name):
            value = self.read(instruction, state, operands[1]) if name.startswith("cmov") else NUMBER
            if name.startswith("cmov"):
                value = join(state.get(operands[0]), value)
            is_secret = self.is_decided(state, re.sub("cmov|set", "", name))
            self.write(instruction, state, operands[0], SECRET if is_secret else value)
            return
        if not (move or flags or name in ARITHMETIC | COUNTS | SHIFTS | QUIET or VECTORS.fullmatch(name)):
            self.complain(instruction, "not known")
            return
        if name == "lea":
            self.write(instruction, state, operands[0], self.address_of(state, Memory(operands[1])))
            return
        vector = any(is_vector(text) for text in operands)
        replaces = (move or vector or (name == "imul" and len(operands) == 3)) and not flags and len(operands) > 1
        sources = operands[1:] if replaces else operands
        value = joined(self.read(instruction, state, text, vector) for text in sources)
        if re.fullmatch(r"v?p?xor(ps|pd|[dq])?|sub", name) and len(set(operands[-2:])) == 1 and is_register(operands[-1]):
            value = NUMBER
        elif isinstance(value, tuple) and not move:
            value = self.moved(instruction, state, value)
        if name in ("adc", "sbb") and state.get("carry") == SECRET:
            value = SECRET
        self.set_flags(instruction, state, value)
        if name not in ONLY_FLAGS and not flags:
            self.write(instruction, state, operands[0], value)

    def moved(self, instruction, state, value):
        """An address on the stack that was calculated with."""
        name, operands = instruction.name, instruction.operands
        if state.get(operands[0])[0] == "stack" and name in ("add", "sub") and operands[1].startswith("0x"):
            by = signed(operands[1])
            return ("stack", value[1] + (by if name == "add" else -by))
        if name == "and" and operands[0] == "rsp":
            # Aligned: whatever is below has not been used.
            return ("stack", value[1] - 4096)
        return ("object", value[1])

    def set_flags(self, instruction, state, value):
        name = instruction.name
        value = SECRET if value == SECRET else NUMBER
        if name in ARITHMETIC or VECTOR_FLAGS.fullmatch(name):
            state.values["flags"] = state.values["carry"] = value
        elif name in COUNTS:
            state.values["flags"] = value
        elif name in SHIFTS:
            # By nothing at all, it leaves them as they were.
            for flag in ("flags", "carry"):
                state.values[flag] = join(state.get(flag), value)
