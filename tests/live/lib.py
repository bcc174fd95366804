"""Shared by the tests here: skipping, waiting, and a network namespace of the test's own."""
import os
import shutil
import sys
import time

tern = os.path.realpath(sys.argv[1])
WAIT_S = 60  # a machine may be busy with other tests


def skip(why):
    """In CI that is a failure, or nobody would ever notice."""
    if os.environ.get("TERN_NO_SKIP", "0") != "0":
        sys.exit(f"FAIL  cannot run: {why}")
    print(f"skipped: {why}")
    sys.exit(77)


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            skip(f"the program {program} is not installed")


def enter_own_network():
    """Run again where nobody else's ports and packets are."""
    if os.environ.get("TERN_OWN_NETWORK") == "1":
        return
    need("unshare", "ip")
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    if os.system("unshare --net " + " ".join(as_root) + " true 2>/dev/null") != 0:
        skip("no network namespace of our own")
    os.environ["TERN_OWN_NETWORK"] = "1"
    os.execvp("unshare", ["unshare", "--net", *as_root, sys.executable, *sys.argv])


def wait_for(what, found):
    """The first true answer of found(), asked again and again; an end in failure when there is none."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        answer = found()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"waited {WAIT_S} s for {what}")


def ok(what):
    print(f"ok    {what}", flush=True)
