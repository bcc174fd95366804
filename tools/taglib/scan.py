# SPDX-License-Identifier: BSD-3-Clause
"""Where a tag stands: what tools/rfc-map and tools/attack-map take from the sources.

A tag is an id in a comment; what an id looks like is the caller's: find(text) gives (offset, id) of each. It counts where
something is done: in a function or right in front of it, at a field, a constant, a table. It does not count in the essay at the
head of a file, nor at a prototype, nor in code or strings. In tests it counts in functions, in the `shows` line of a packet
script (unless the script is expected to fail), in a rule of tests/conform, in a comment of a script.
"""
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Place:
    """A tag that counts. `name` survives edits of the file, `line` does not."""

    def __init__(self, path, line, name):
        self.path, self.line, self.name = path, line, name


TOKEN = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)


def split_c(text):
    """The code with comments and strings blanked, and the comments: (offset, text)."""
    comments = []

    def blank(m):
        if m[0][0] == "/":
            comments.append((m.start(), m[0]))
        return re.sub(r"[^\n]", " ", m[0])

    return TOKEN.sub(blank, text), comments


def constructs(code):
    """What stands at the top level of a C file, in order: (start, end, text without bodies)."""
    start = depth = 0
    head = []
    for m in re.finditer(r"[{};]|^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", code, re.M):
        c = m[0]
        if c == "{":
            if depth == 0:
                head.append(code[start if not head else last : m.start()] + "{")
            depth += 1
        elif c == "}":
            depth -= 1
            last = m.end()
            if depth == 0 and is_function("".join(head)):
                yield start, m.end(), "".join(head)
                start, head = m.end(), []
        elif depth == 0:
            head.append(code[start if not head else last : m.end()])
            yield start, m.end(), "".join(head)
            start, head = m.end(), []


NOT_NAMES = {"if", "while", "for", "switch", "sizeof", "static_assert", "__attribute__", "defined"}


def is_function(head):
    return head.rstrip().endswith("{") and "=" not in head and ")" in head.rsplit("{", 1)[0][-40:]


def name_of(head):
    """What a construct is called, and its kind."""
    words = " ".join(head.split())
    if words.startswith("#define"):
        return words.split()[1].split("(")[0], "macro"
    if words.startswith("#"):
        return "", "directive"
    m = re.match(r"(?:static )?(?:const )?(struct|enum|union)\s*(\w*)\s*\{", words)
    if m:
        return f"{m[1]} {m[2]}".strip(), "type"
    m = re.search(r"(\w+)(?:\[[^]]*\])*\s*=", words)
    if m:
        return m[1], "object"
    calls = [n for n in re.findall(r"(\w+)\s*\(", words) if n not in NOT_NAMES and not n.startswith("TERN_MUST")]
    if calls:
        return calls[0], "function" if is_function(head) else "prototype"
    return "", "other"


def scan_c(path, text, find):
    """(id, Place or None when it does not count) of every tag in comments."""
    code, comments = split_c(text)
    tops = list(constructs(code))
    for offset, comment in comments:
        for at, ident in find(comment):
            line = text.count("\n", 0, offset + at) + 1
            yield ident, line, place_in_c(path, text, code, tops, (offset, offset + len(comment)), line)


def place_in_c(path, text, code, tops, comment, line):
    begin, behind = comment
    for i, (start, end, head) in enumerate(tops):
        if start <= begin < end:
            first = start + len(code[start:end]) - len(code[start:end].lstrip())
            if i > 0 and "\n" not in text[start:begin]:
                head = tops[i - 1][2]  # on the last line of a construct, it still speaks of that one
            elif begin < first and re.search(r"\n[ \t]*\n", text[behind:first]):
                return None  # an essay or a heading, not of what follows
            name, kind = name_of(head)
            if kind == "type":
                name = (name.split(" ")[1] + "." if " " in name else "") + member_at(code, begin)
            return Place(path, line, name) if name and kind not in ("prototype", "directive") else None
    return None


def member_at(code, offset):
    """The field or constant that a comment stands behind, or in front of."""
    start = code.rfind("\n", 0, offset) + 1
    if not code[start:offset].strip(" {"):
        start = offset
    m = re.search(r"\(\*(\w+)\)|(\w+)\s*(?:\[[^]]*\]\s*)?[,;=:}]", code[start:])
    return (m[1] or m[2]) if m else ""


def scan_packet_script(path, text, find):
    counts = not re.search(r"^expect-fail\b", text, re.M)
    for n, line in enumerate(text.splitlines(), 1):
        if line.startswith("shows "):
            for _, ident in find(line):
                yield ident, n, Place(path, n, "") if counts else None


def scan_rules(path, text, find):
    """A tag in a rule's source, or in the heading above rules, which stands for the rule that follows."""
    waiting = []
    for n, line in enumerate(text.splitlines(), 1):
        found = [ident for _, ident in find(line)]
        m = re.match(r"([A-Z]\w*)\s.*\|", line)
        if m:
            for ident in waiting + found:
                yield ident, n, Place(path, n, f"rule {m[1]}")
            waiting = []
        elif line.startswith("# ----"):
            waiting = found
        else:
            for ident in found:
                yield ident, n, None


def scan_shell(path, text, find):
    for n, line in enumerate(text.splitlines(), 1):
        m = re.search(r"(?:^|\s)#(.*)", line)
        if m:
            for _, ident in find(m[1]):
                yield ident, n, Place(path, n, "")


SCANNERS = {".c": scan_c, ".h": scan_c, ".pkt": scan_packet_script, ".rules": scan_rules, ".sh": scan_shell, ".py": scan_shell}


def files_under(tops):
    for top in tops:
        for directory, subdirs, names in os.walk(os.path.join(ROOT, top)):
            subdirs[:] = sorted(d for d in subdirs if d not in ("corpus", "self"))
            for name in sorted(names):
                if os.path.splitext(name)[1] in SCANNERS:
                    yield os.path.relpath(os.path.join(directory, name), ROOT)


def places(tops, find):
    """(path, line, id, Place or None when it does not count) of every tag under the directories `tops`."""
    for path in files_under(tops):
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            text = f.read()
        for ident, line, place in SCANNERS[os.path.splitext(path)[1]](path, text, find):
            yield path, line, ident, place
