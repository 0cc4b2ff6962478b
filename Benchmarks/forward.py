"""Measures the forward pass beside torch eager and prints Markdown tables; see README.md of this folder.

    python forward.py INGOT FORWARD_BENCHMARK     (script/benchmark --forward calls it)
"""
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import measuring

HERE = pathlib.Path(__file__).parent
INGOT, SWIFT = (str(pathlib.Path(word).resolve()) for word in sys.argv[1:])
PEER = [sys.executable, str(HERE / "forward_peer.py")]
SHAPES = {"gpt2": ["1x64", "1x512", "1x1024"], "minilm": ["8x128"]}
RUNS = 9
TOKENS = "464,2068,7586,21831"
# The heap as the command has it for a pass; a program that uses the library chooses for itself.
HEAP = {"MALLOC_TOP_PAD_": "33554432", "MALLOC_MMAP_THRESHOLD_": "33554432",
        "MALLOC_TRIM_THRESHOLD_": "67108864"}


class Server:
    """A process that does its work once for each line, and answers with the seconds."""

    def __init__(self, command, environment={}):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, bufsize=1, env=os.environ | environment)

    def run(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def passes(folder, kind):
    """The passes alone, in turn: both processes are warm, and each has both cores to itself."""
    rows = []
    for shape in SHAPES[kind]:
        for precision in ("float32", "float64"):
            inputs = f"{folder}/inputs-{shape}.npz"
            ours = Server([SWIFT, folder, inputs, precision], HEAP)
            theirs = Server(PEER + ["serve", folder, inputs, precision])
            ours.run(), theirs.run()
            pairs = [(ours.run(), theirs.run()) for _ in range(RUNS)]
            ours.close(), theirs.close()
            rows.append([
                kind, shape, precision,
                f"{statistics.median(first for first, _ in pairs) * 1000:.0f} ms",
                f"{statistics.median(second for _, second in pairs) * 1000:.0f} ms",
                f"{statistics.median(second / first for first, second in pairs):.1f}×",
            ])
    return rows


def processes(folder, kind):
    """`ingot verify` beside a fresh Python that imports, loads, runs and compares."""
    rows = []
    for shape in SHAPES[kind]:
        for precision in ("float32", "float64"):
            golden = f"{folder}/golden.npz"
            subprocess.run(
                PEER + ["golden", folder, golden, f"{folder}/inputs-{shape}.npz", precision],
                check=True, stderr=subprocess.DEVNULL)
            times, memory = measuring.interleaved({
                "ingot": (
                    [INGOT, "verify", folder, "--golden", golden, "--precision", precision], None),
                "python": (PEER + ["verify", folder, golden, precision], None),
            }, runs=3)
            rows.append([
                kind, shape, precision, f"{times['ingot']:.2f} s", f"{times['python']:.2f} s",
                f"{times['python'] / times['ingot']:.1f}×",
                f"{memory['ingot']:.0f} MiB", f"{memory['python']:.0f} MiB",
                f"{memory['ingot'] / memory['python']:.2f}",
            ])
    return rows


def generations(folder):
    """`ingot generate` beside a fresh Python that imports, loads and generates: the same tokens."""
    rows = []
    for precision in ("float32", "float64"):
        commands = {
            "ingot": [
                INGOT, "generate", folder, "--tokens", TOKENS, "--max-new", "64", "--precision",
                precision],
            "python": PEER + ["generate", folder, TOKENS, "64", precision],
        }
        made = {
            key: subprocess.run(
                command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            ).stdout.split()[-1]
            for key, command in commands.items()}
        assert made["ingot"] == made["python"], made
        times, memory = measuring.interleaved(
            {key: (command, None) for key, command in commands.items()}, runs=3)
        rows.append([
            precision, f"{times['ingot']:.2f} s", f"{times['python']:.2f} s",
            f"{times['python'] / times['ingot']:.1f}×", f"{memory['ingot']:.0f} MiB",
            f"{memory['python']:.0f} MiB",
        ])
    return rows


def main():
    measuring.heading()
    alone, whole, generated = [], [], []
    for kind in SHAPES:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(PEER + ["make", kind, folder], check=True, stderr=subprocess.DEVNULL)
            alone += passes(folder, kind)
            whole += processes(folder, kind)
            if kind == "gpt2":
                generated += generations(folder)
    measuring.table(
        "The forward pass alone, weights read from the page cache each time, torch's held",
        ["model", "batch × length", "precision", "ingot", "torch eager", "faster"], alone)
    measuring.table(
        "`ingot verify` beside a fresh Python process that imports, loads, runs and compares",
        ["model", "batch × length", "precision", "ingot", "Python", "faster", "peak memory",
         "Python's", "ratio"], whole)
    measuring.table(
        "`ingot generate`, 64 tokens of GPT-2 small, beside a fresh Python process",
        ["precision", "ingot", "Python", "faster", "peak memory", "Python's"], generated)


if __name__ == "__main__":
    main()
