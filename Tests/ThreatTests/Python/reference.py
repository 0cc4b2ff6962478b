"""What the reference libraries make of many files: one line of JSON for each.

    python reference.py digests < PATHS          a path a line
    python reference.py mutants ENDING < STREAM  8 bytes of length and a file, again and again
    python reference.py zips < PATHS             what zipfile finds in each archive

Every file is read in a process of its own, because libhdf5 may crash or hang on it. A line holds
`verdict` (read, refused, crashed, hung) and, where it was read, `lines`: those of the digest manifest.
"""
import hashlib
import json
import os
import resource
import signal
import sys
import tempfile
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "..", "fixtures"))
import h5py  # noqa: E402,F401  Once, not in every process.
import numpy  # noqa: E402,F401
import oracle  # noqa: E402

PATIENCE = 1  # seconds of processor time; a file takes milliseconds


def isolated(work):
    """Runs `work`, which returns a list, in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        try:
            answer = json.dumps({"verdict": "read", "lines": work()})
        except BaseException as error:
            answer = json.dumps({"verdict": "refused", "why": f"{type(error).__name__}: {error}"[:200]})
        with os.fdopen(writing, "w") as stream:
            stream.write(answer)
            stream.flush()
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        answer = stream.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        hung = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
        return {"verdict": "hung" if hung else "crashed"}
    return json.loads(answer)


def manifest(path):
    return oracle.manifest(oracle.read(path, {})).splitlines()


def members(path):
    lines = []
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            content = archive.read(member)
            lines.append(f"{len(content)} {hashlib.sha256(content).hexdigest()}")
    return lines


def mutants(ending):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "mutant" + ending)
        while length := sys.stdin.buffer.read(8):
            with open(path, "wb") as stream:
                stream.write(sys.stdin.buffer.read(int.from_bytes(length, "little")))
            yield isolated(lambda: manifest(path))


def main():
    command = sys.argv[1]
    if command == "mutants":
        answers = mutants(sys.argv[2])
    else:
        work = manifest if command == "digests" else members
        answers = (isolated(lambda: work(line.rstrip("\n"))) for line in sys.stdin)
    for answer in answers:
        print(json.dumps(answer), flush=True)


main()
