# SPDX-License-Identifier: BSD-3-Clause
"""Where a run was, of what, and how it was called."""
import datetime
import json
import os
import platform
import re
import subprocess
from pathlib import Path


def said(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def proc(path, pattern):
    found = re.search(pattern, Path("/proc", path).read_text(encoding="utf-8"), re.M)
    return found[1].strip() if found else "?"


def commit(root):
    """The commit that was built; "+" behind it: with changes."""
    name = said("git", "-C", root, "rev-parse", "--short=12", "HEAD")
    return name + ("+" if said("git", "-C", root, "status", "--porcelain", "--untracked-files=no") else "")


def built(build):
    """Compiler and the options that matter."""
    text = Path(build, "meson-info/intro-buildoptions.json").read_text(encoding="utf-8")
    options = {o["name"]: o["value"] for o in json.loads(text)}
    lto = ", link-time optimisation" if options.get("b_lto") else ""
    compiler = said("cc", "--version").partition("\n")[0]
    return f"{compiler}, {options['buildtype']}{lto}, for {options['cpu']}"


def describe(root, build, command):
    model_name, model = proc("cpuinfo", r"^model name\s*: (.*)$"), proc("cpuinfo", r"^model\s*: (.*)$")
    virtual = "hypervisor" in proc("cpuinfo", r"^flags\s*: (.*)$")
    return {
        "cpu": f"{model_name}, model {model}",
        "cpus": len(os.sched_getaffinity(0)),
        "ram_gib": round(int(proc("meminfo", r"^MemTotal:\s+(\d+)")) / 2**20),
        "hugepages": int(proc("meminfo", r"^HugePages_Total:\s+(\d+)")),
        "kernel": platform.release(),
        "virtual": virtual,
        "dpdk": said("pkg-config", "--modversion", "libdpdk"),
        "build": built(build),
        "commit": commit(root),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "command": command,
    }
