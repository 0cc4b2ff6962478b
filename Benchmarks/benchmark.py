"""Measures ingot beside its peers and prints Markdown tables; see README.md of this folder.

    python benchmark.py INGOT [SIZE_MB…]     (script/benchmark calls it)
"""
import os
import pathlib
import subprocess
import sys
import tempfile

from measuring import heading, interleaved, measure, table

HERE = pathlib.Path(__file__).parent
INGOT = str(pathlib.Path(sys.argv[1]).resolve())
SIZES = [int(word) for word in sys.argv[2:]] or [500, 2000]
FORMATS = ["safetensors", "npz", "h5", "ingot"]


def generate(*words):
    """Runs generate.py: a process of its own, because a child's peak memory counts its parent's."""
    subprocess.run([sys.executable, str(HERE / "generate.py"), *map(str, words)], check=True)


def peer(source, destination, *options):
    return [sys.executable, str(HERE / "peers.py"), "convert", source, destination, *options]


def conversions(folder, size):
    sources = {"safetensors": f"{folder}/source.safetensors"}
    generate("transformer", sources["safetensors"], size)
    for kind in FORMATS[1:]:
        sources[kind] = f"{folder}/source.{kind}"
        measure([INGOT, "convert", sources["safetensors"], sources[kind]], sources[kind])
    rows = []
    for origin in FORMATS:
        for target in FORMATS:
            source, out = sources[origin], f"{folder}/out.{target}"
            copy = f"{folder}/copy"
            commands = {
                "cp": (["cp", source, copy], copy),
                "fast": ([INGOT, "convert", source, out, "--no-check", "--no-sync"], out),
                "cp+sync": (["sh", "-c", f"cp {source} {copy} && sync {copy}"], copy),
                "synced": ([INGOT, "convert", source, out, "--no-check"], out),
                "default": ([INGOT, "convert", source, out], out),
            }
            if "ingot" not in (origin, target) and origin != target:
                commands["python"] = (peer(source, out), out)
            times, memory = interleaved(commands, runs=1 if size > 1000 else 3)
            for path in (out, copy):
                if os.path.exists(path):
                    os.remove(path)
            rows.append([
                f"{origin} → {target}",
                f"{times['fast'] / times['cp']:.2f}",
                f"{times['synced'] / times['cp+sync']:.2f}",
                f"{times['default'] / times['cp+sync']:.2f}",
                f"{times['python'] / times['fast']:.1f}×" if "python" in times else "–",
                f"{max(memory[key] for key in ('fast', 'synced', 'default')):.0f} MiB",
            ])
    table(
        f"Conversions of {size} MB of float32 (ratios of whole processes; below 1 is faster than the copy)",
        ["pair", "`--no-check --no-sync` / cp", "`--no-check` / cp + sync", "default / cp + sync",
         "faster than Python", "peak memory"],
        rows)
    return sources


def transformations(folder, sources, size):
    source, out = sources["safetensors"], f"{folder}/out.safetensors"
    rules = f"{folder}/rules.yaml"
    pathlib.Path(rules).write_text("transpose:\n  - match: '.*weight'\n")
    works = {
        "plain": [],
        "float16": ["--dtype", "float16"],
        "bfloat16": ["--dtype", "bfloat16"],
        "transposed": ["--rules", rules],
    }
    modes = {"`--no-check --no-sync`": ["--no-check", "--no-sync"], "`--no-check`": ["--no-check"], "default": []}
    measured = {
        mode: interleaved({
            work: ([INGOT, "convert", source, out, *options, *how], out)
            for work, options in works.items()
        })
        for mode, how in modes.items()
    }
    os.remove(out)
    table(
        f"The same with work on the way, {size} MB (ratio to the plain conversion)",
        ["work", *modes, "peak memory"],
        [[work, *(f"{times[work] / times['plain']:.2f}" for times, _ in measured.values()),
          f"{max(memory[work] for _, memory in measured.values()):.0f} MiB"]
         for work in works if work != "plain"])


def compression(folder, sources, size):
    source = sources["safetensors"]
    rows = []
    for kind, name in (("h5", "HDF5, shuffle + deflate"), ("npz", "npz, deflate")):
        out, theirs = f"{folder}/out.{kind}", f"{folder}/theirs.{kind}"
        fast = ["--no-check", "--no-sync"]
        times, memory = interleaved({
            "ingot": ([INGOT, "convert", source, out, "--compression", "gzip", *fast], out),
            "python": (peer(source, theirs, "--compress"), theirs),
        }, runs=1)
        rows.append([name + ", out", f"{times['python'] / times['ingot']:.1f}×",
                     f"{os.path.getsize(out) / os.path.getsize(source):.3f} / "
                     f"{os.path.getsize(theirs) / os.path.getsize(source):.3f}",
                     f"{memory['ingot']:.0f} MiB"])
        plain, plain_theirs = f"{folder}/plain.safetensors", f"{folder}/plain2.safetensors"
        times, memory = interleaved({
            "ingot": ([INGOT, "convert", theirs, plain, *fast], plain),
            "python": (peer(theirs, plain_theirs), plain_theirs),
        }, runs=3)
        rows.append([name + ", in", f"{times['python'] / times['ingot']:.1f}×", "–",
                     f"{memory['ingot']:.0f} MiB"])
        for path in (out, theirs, plain, plain_theirs):
            os.remove(path)
    table(f"Compressed files, {size} MB of float32",
          ["work", "faster than Python", "ratio ours / theirs", "peak memory"], rows)


def looking(folder, sources, size):
    rows = []
    small = f"{folder}/small.safetensors"
    generate("small", small, 20_000)
    many = {"safetensors": small}
    for kind in FORMATS[1:]:
        many[kind] = f"{folder}/small.{kind}"
        measure([INGOT, "convert", small, many[kind]], many[kind])
    for kind in FORMATS:
        cells = [kind]
        for path in (sources[kind], many[kind]):
            commands = {"ingot": ([INGOT, "inspect", path], None)}
            if kind != "ingot":
                commands["python"] = ([sys.executable, str(HERE / "peers.py"), "inspect", path], None)
            times, _ = interleaved(commands, runs=9)
            cells.append(f"{times['ingot'] * 1000:.1f} ms")
            cells.append(f"{times['python'] / times['ingot']:.0f}×" if "python" in times else "–")
        rows.append(cells)
    table("`ingot inspect`, whole process",
          ["format", f"{size} MB", "faster than Python", "20,000 tensors", "faster than Python"],
          rows)
    rows = []
    for kind in FORMATS:
        path = sources[kind]
        times, memory = interleaved({
            "read": (["sh", "-c", f"cat {path} > /dev/null"], None),
            "sha256": (["openssl", "dgst", "-sha256", path], None),
            "digest": ([INGOT, "digest", path], None),
            "stats": ([INGOT, "inspect", "--stats", path], None),
        }, runs=3)
        rows.append([kind, f"{times['digest'] / times['sha256']:.2f}",
                     f"{times['stats'] / times['read']:.2f}",
                     f"{max(memory['digest'], memory['stats']):.0f} MiB"])
    table(f"Reading every value, {size} MB",
          ["format", "`digest` / openssl sha256 on one core", "`inspect --stats` / cat", "peak memory"],
          rows)


def main():
    heading()
    for size in SIZES:
        with tempfile.TemporaryDirectory(dir=os.environ.get("INGOT_BENCHMARK_FOLDER")) as folder:
            sources = conversions(folder, size)
            transformations(folder, sources, size)
            looking(folder, sources, size)
            if size <= 500:
                compression(folder, sources, size)


if __name__ == "__main__":
    main()
