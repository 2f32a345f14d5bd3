#!/usr/bin/env python3
"""Weaves all mutants of a crate into one copy of its sources, so that one build serves for all of them.

    weave.py LIST SOURCE TARGET CRATE [DROPPED...]

LIST is what `cargo mutants --list --json` says. TARGET is a copy of SOURCE whose files are written anew: wherever
a mutant would change something, the program asks which mutant is on (the number in the variable `MUTANT`; the
mutants of the list count from 1) and does as that mutant or as the source. `TARGET/woven.json` tells which lines
belong to which mutant. DROPPED are the numbers of mutants that are left out.

An operator is exchanged in the text of the whole expression around it, as `cargo mutants` exchanges it: what
binds closer may be another then.
"""
import bisect
import json
import pathlib
import re
import sys

TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<text>b?r(?P<hash>\#*)".*?"(?P=hash)|[bc]?"(?:\\.|[^"\\])*"|b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^'\\])')
    |(?P<life>'\w+)
    |(?P<word>\w+)
    |(?P<sign><<=|>>=|\.\.=|\.\.\.|=>|->|::|\.\.|==|!=|<=|>=|&&|\|\||\+=|-=|\*=|/=|%=|\^=|&=|\|=|<<|>>|.)""",
    re.X | re.S,
)
OPENING, CLOSING = "([{", ")]}"
ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "%=", "^=", "&=", "|=", "<<=", ">>="}
# What no expression around an operator goes beyond.
ENDS = {",", ";", "=>", "..", "..=", ":", "#", *ASSIGNMENTS}
ENDING_WORDS = {"if", "while", "match", "return", "in", "let", "else", "break", "move", "unsafe", "loop"}
BINARY = {"+", "-", "*", "/", "%", "^", "&", "|", "&&", "||", "==", "!=", "<", ">", "<=", ">=", "<<", ">>", "as"}
ASK = "crate::mutant::on()"


class File:
    """A source with the places of its tokens."""

    def __init__(self, text):
        self.text = text
        self.lines = [0] + [found.end() for found in re.finditer("\n", text)]
        found = (found for found in TOKEN.finditer(text) if found.lastgroup != "space")
        self.tokens = [(found.start(), found.end(), found.group()) for found in found if found.group("space") is None]
        self.starts = [token[0] for token in self.tokens]
        self.partner = {}
        stack = []
        for at, (_, _, sign) in enumerate(self.tokens):
            if sign in OPENING:
                stack.append(at)
            elif sign in CLOSING and stack:
                other = stack.pop()
                self.partner[at], self.partner[other] = other, at

    def offset(self, place):
        """Where a place of the list, with lines and columns from 1 on, is in the text."""
        return self.lines[place["line"] - 1] + place["column"] - 1

    def token(self, offset):
        return bisect.bisect_left(self.starts, offset)

    def is_closure(self, at):
        """Whether a bar stands around the arguments of a closure."""
        start, end, _ = self.tokens[at]
        spaces = self.text[start - 1].isspace(), self.text[end : end + 1].isspace()
        return spaces != (True, True)

    def ends_here(self, at):
        sign = self.tokens[at][2]
        return sign in ENDS or sign in ENDING_WORDS or (sign == "|" and self.is_closure(at)) or sign == "||" and self.is_closure(at)

    def around(self, op):
        """The whole expression around the operator, as a range of the text."""
        first = op
        while first > 0:
            at = first - 1
            sign = self.tokens[at][2]
            if sign in OPENING or self.ends_here(at):
                break
            if sign in CLOSING:
                follows = self.tokens[first][2]
                if sign == "}" and follows not in BINARY and follows not in (".", "?") and follows not in ASSIGNMENTS:
                    break
                at = self.partner[at]
            first = at
        last = op
        while last + 1 < len(self.tokens):
            at = last + 1
            sign = self.tokens[at][2]
            if sign in CLOSING or sign == "{" or self.ends_here(at):
                break
            last = self.partner[at] if sign in OPENING else at
        return self.tokens[first][0], self.tokens[last][1]


class Weaver:
    def __init__(self, file):
        self.file = file
        self.choices = {}  # (start, end): [(number, text)]
        self.before = {}  # start: texts with their numbers, in front of what begins there
        self.behind = {}  # end: texts, behind what ends there

    def mutant(self, number, mutant):
        file, genre, new = self.file, mutant["genre"], mutant["replacement"]
        start, end = (file.offset(mutant["span"][key]) for key in ("start", "end"))
        if genre == "FnValue" and "impl " in mutant["function"]["return_type"]:
            return False  # Two types cannot be returned.
        if genre == "FnValue":
            self.before.setdefault(start, []).append((number, f"if {ASK} == {number} {{ return {new}; }}"))
        elif genre in ("BinaryOperator", "UnaryOperator"):
            whole = file.around(file.token(start))
            text = file.text[whole[0] : start] + f" {new} " + file.text[end : whole[1]]
            self.choices.setdefault(whole, []).append((number, text))
        elif genre == "MatchArmGuard":
            self.choices.setdefault((start, end), []).append((number, new))
        elif genre == "MatchArm":
            self.arm(number, start)
        else:
            return False
        return True

    def arm(self, number, start):
        """An arm that is deleted is one that does not match."""
        file, at, guard = self.file, self.file.token(start), None
        while file.tokens[at][2] != "=>":
            if file.tokens[at][2] == "if":
                guard = file.tokens[at + 1][0]
            at = file.partner[at] + 1 if file.tokens[at][2] in OPENING else at + 1
        if guard is None:
            self.before.setdefault(file.tokens[at][0], []).append((number, f" if {ASK} != {number} "))
        else:
            self.before.setdefault(guard, []).append((number, f"{ASK} != {number} && ("))
            self.behind.setdefault(file.tokens[at - 1][1], []).append(")")

    def woven(self):
        """The new text, with a mark `\\0N\\0` where lines of mutant N begin, and `\\0\\0` where they end."""
        return self.render(0, len(self.file.text), None)

    def render(self, start, end, inside):
        nodes = sorted(
            (node for node in self.choices if start <= node[0] and node[1] <= end and node != inside),
            key=lambda node: (node[0], -node[1]),
        )
        out, at = [], start
        for node in nodes:
            if node[0] < at:
                continue  # inside of the one before
            out.append(self.plain(at, node[0], is_node_next=True))
            arms = "".join(f"\n\0{number}\0{number} => {text},\0\0\n" for number, text in self.choices[node])
            out.append(f"(match {ASK} {{{arms}_ => {self.render(*node, node)} }})")
            out.extend(self.behind.get(node[1], []))
            at = node[1]
        out.append(self.plain(at, end))
        return "".join(out)

    def plain(self, start, end, is_node_next=False):
        """Text in which no expression is replaced, and what goes in between."""
        places = sorted({at for at in [*self.before, *self.behind] if start < at < end})
        out, at = [], start
        for place in places:
            out.append(self.file.text[at:place])
            out.extend(self.behind.get(place, []))
            out.extend(self.inserted(place))
            at = place
        out.append(self.file.text[at:end])
        if is_node_next:
            out.extend(self.inserted(end))
        return "".join(out)

    def inserted(self, place):
        return [f"\n\0{number}\0{text}\0\0\n" for number, text in self.before.get(place, [])]


def settle(marked):
    """The text without marks, and the lines of each mutant."""
    text, owners, line, owner = [], {}, 1, None
    for part in re.split(r"(\0\d*\0)", marked):
        if part.startswith("\0"):
            owner = int(part.strip("\0")) if part != "\0\0" else None
            continue
        for _ in range(part.count("\n") + 1):
            if owner is not None:
                owners[line] = owner
            line += 1
        line -= 1
        text.append(part)
    return "".join(text), owners


MODULE = '''
pub(crate) mod mutant {
    //! Which mutant is on.
    use std::sync::OnceLock;
    pub(crate) fn on() -> u32 {
        static ON: OnceLock<u32> = OnceLock::new();
        *ON.get_or_init(|| std::env::var("MUTANT").ok().and_then(|on| on.parse().ok()).unwrap_or(0))
    }
}
'''


def main():
    mutants, source, target, crate = sys.argv[1:5]
    dropped = {int(number) for number in sys.argv[5:]}
    source, target = pathlib.Path(source), pathlib.Path(target)
    files, lines, woven = {}, {}, []
    for number, mutant in enumerate(json.loads(pathlib.Path(mutants).read_text()), 1):
        name = mutant["file"]
        if name not in files:
            files[name] = Weaver(File((source / name).read_text()))
        if number not in dropped and files[name].mutant(number, mutant):
            woven.append(number)
    root = f"{crate}/src/lib.rs"
    files.setdefault(root, Weaver(File((source / root).read_text())))
    for name, weaver in files.items():
        text, lines[name] = settle(weaver.woven())
        (target / name).write_text(text + (MODULE if name == root else ""))
    (target / "woven.json").write_text(json.dumps({"woven": woven, "lines": lines}))
    print(f"{crate}: {len(woven)} mutants woven")


main()
