#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The report's page as a C file: one HTML document in two parts, between which a run's data go.

make_page.py OUT.c PAGE.html STYLE.css… SCRIPT.js… LICENCE

The policy in the document names the hashes of its own style and script, so nothing else runs in it,
whatever its data say.
"""
import base64
import hashlib
import pathlib
import sys

CHARS_A_LINE = 16


def digest(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def c_array(name, text):
    data = text.encode()
    lines = (data[i:i + CHARS_A_LINE] for i in range(0, len(data), CHARS_A_LINE))
    body = "\n".join("    " + "".join(f"{byte}," for byte in line) for line in lines)
    return f"const unsigned char {name}[] = {{\n{body}\n}};\nconst size_t {name}_bytes = sizeof {name};\n"


def main():
    out, page, *rest = map(pathlib.Path, sys.argv[1:])
    licence = rest.pop().read_text()
    style = "\n".join(p.read_text() for p in rest if p.suffix == ".css")
    script = "\n".join(p.read_text() for p in rest if p.suffix == ".js")
    assert "</" not in style and "</script" not in script and "<!--" not in script, "it would end its element"
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src {digest(style)}; script-src {digest(script)}"
    text = page.read_text().replace("@CSP@", policy)
    head, tail = text.split("@DATA@")
    head = head.replace("@STYLE@", style)
    tail = tail.replace("@SCRIPT@", script)
    out.write_text('#include "page.h"\n\n' + c_array("app_page_head", head) + c_array("app_page_tail", tail)
                   + c_array("app_page_licence", licence + "\0"))


main()
