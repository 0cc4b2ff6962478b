"""Whole processes measured in turn, and tables of what came out."""
import datetime
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent


def heading():
    commit = subprocess.run(["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True).stdout.strip()
    print(f"Measured on {datetime.date.today()}, {os.cpu_count()} cores, commit {commit}; "
          "medians of interleaved runs.")


def measure(command, output=None):
    """Seconds and peak memory in MiB of one whole process; `output` is removed before it starts."""
    if output and os.path.exists(output):
        os.remove(output)
    os.sync()  # so that nothing pays for what its forerunner left unwritten
    null = os.open(os.devnull, os.O_RDWR)
    begin = time.perf_counter()
    process = os.posix_spawnp(
        command[0], command, os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1)])
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - begin
    os.close(null)
    if status != 0:
        sys.exit(f"failed: {' '.join(command)}")
    return seconds, usage.ru_maxrss / 1024


def interleaved(commands, runs=5):
    """The medians of several commands, run in turn so that the machine's drift hits all alike."""
    times = {key: [] for key in commands}
    memory = {key: 0 for key in commands}
    for turn in range(runs + 1):
        for key, (command, output) in commands.items():
            seconds, peak = measure(command, output)
            if turn > 0:  # the first turn warms the caches
                times[key].append(seconds)
                memory[key] = max(memory[key], peak)
    return {key: statistics.median(values) for key, values in times.items()}, memory


def table(title, header, rows):
    print(f"\n### {title}\n")
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)
