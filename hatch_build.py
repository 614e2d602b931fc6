"""Compiles skseq's C++ while skseq is installed, if there is a compiler.

    python hatch_build.py [--sanitize] [FOLDER]

compiles it into the package, or into another folder, whose CTC library `SKSEQ_NATIVE`
may then name; `--sanitize` adds checks of memory and of undefined behaviour to this
library, and leaves out the recurrences, as TensorFlow runs without them. The compiler
is `CXX`, or the first of c++, g++ and clang++ (on Windows: cl) that there is. Without
one, or if it fails, a line says so, and skseq is installed without compiled code.

The options keep results of CTC the same on all machines: no instructions of one
processor, no contraction into fused multiplications. Recurrences are compiled once for
each set of instructions, of which the best is chosen where they run.
"""

import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zlib
from pathlib import Path

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a script
    BuildHookInterface = object

NATIVE = Path(__file__).parent / "skseq" / "_native"
SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
LIBRARY, RECURRENCES = f"libctc{SUFFIX}", f"librecurrences{SUFFIX}"

OPTIONS = ["-std=c++17", "-O3", "-ffp-contract=off", "-fvisibility=hidden", "-fPIC"]
OPTIONS += ["-pthread", "-Wall", "-Wextra"]
SANITIZERS = ["-O1", "-g", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all"]
SANITIZERS += ["-fsanitize=address,undefined"]
OPTIONS_OF_CL = ["/nologo", "/std:c++17", "/O2", "/fp:precise", "/EHsc", "/LD"]

# The first is what every processor of a kind has; the others are of x86.
INSTRUCTIONS = {
    "plain": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx512f", "-mfma"],
}
LACKING = ["-DSKSEQ_LACKING"]

# The functions of TensorFlow are found where the library is loaded.
LINKING = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []


def compiler() -> list[str] | None:
    """The command that compiles C++, or None."""
    if os.environ.get("CXX"):
        return shlex.split(os.environ["CXX"], posix=os.name != "nt")
    names = ("cl",) if os.name == "nt" else ("c++", "g++", "clang++")
    return next(([name] for name in names if shutil.which(name)), None)


def source() -> str:
    """The option that gives a library a checksum of its source."""
    paths = sorted(p for p in NATIVE.iterdir() if p.suffix in (".cpp", ".h"))
    checksum = zlib.crc32(b"".join(path.read_bytes() for path in paths))
    return f"SKSEQ_SOURCE={checksum}u"


def architectures() -> list[str]:
    """The options that name the processors to compile for, where they are named."""
    archs = os.environ.get("ARCHFLAGS", "")
    if sysconfig.get_platform().endswith("universal2"):
        archs = archs or "-arch x86_64 -arch arm64"
    return shlex.split(archs)


def ctc_command(compiler: list[str], library: Path, sanitize: bool) -> list[str]:
    """The command line that makes the library of CTC."""
    if Path(compiler[0]).stem.lower() == "cl":
        outputs = [f"/Fo{library.with_suffix('.obj')}", f"/Fe{library}"]
        return [
            *compiler,
            *OPTIONS_OF_CL,
            f"/D{source()}",
            *outputs,
            f"{NATIVE}/ctc.cpp",
        ]
    options = [*OPTIONS, *architectures(), *(SANITIZERS if sanitize else [])]
    files = [f"{NATIVE}/ctc.cpp", "-o", str(library)]
    return [*compiler, *options, "-shared", f"-D{source()}", *files]


def kernel_command(compiler: list[str], name: str, options, made: Path) -> list[str]:
    """The command line that compiles the kernels of a set of instructions."""
    options = [*OPTIONS, *architectures(), "-Wno-psabi", *options]
    files = ["-c", f"{NATIVE}/recurrence_kernels.cpp", "-o", str(made)]
    return [*compiler, *options, f"-DSKSEQ_INSTRUCTIONS={name}", *files]


def build_ctc(compiler: list[str], library: Path, sanitize: bool) -> None:
    run(ctc_command(compiler, library, sanitize))


def build_recurrences(compiler: list[str], library: Path) -> None:
    is_x86 = platform.machine().lower() in ("x86_64", "amd64")
    is_x86 = is_x86 and "arm64" not in architectures()
    with tempfile.TemporaryDirectory() as folder:
        made = [Path(folder, f"{name}.o") for name in INSTRUCTIONS]
        for path, (name, options) in zip(made, INSTRUCTIONS.items(), strict=True):
            if options and not is_x86:
                options = LACKING
            try:
                run(kernel_command(compiler, name, options, path))
            except subprocess.CalledProcessError:  # an old compiler
                if not options:
                    raise
                run(kernel_command(compiler, name, LACKING, path))
        options = [*OPTIONS, *architectures(), "-shared", f"-D{source()}", *LINKING]
        names = ["recurrences", "row_operations", "adam_operation"]
        names += ["ctc_loss_operation", "chain_loss_operation"]
        files = [f"{NATIVE}/{name}.cpp" for name in names]
        run([*compiler, *options, *files, *map(str, made), "-o", str(library)])


def run(command: list[str]) -> None:
    """Run a command; what it says is kept for a refusal."""
    to_stdout = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    subprocess.run(command, check=True, **to_stdout)


def build_libraries(folder: Path, sanitize: bool = False) -> list[Path]:
    """Compile the libraries into a folder; those that fail are left out.

    A line on stderr says so.
    """
    found = compiler()
    if found is None:
        refuse("there is no C++ compiler")
        return []
    folder.mkdir(parents=True, exist_ok=True)
    makers = {LIBRARY: lambda library: build_ctc(found, library, sanitize)}
    if os.name != "nt" and not sanitize:
        makers[RECURRENCES] = lambda library: build_recurrences(found, library)
    made = [build(folder / name, make, found[0]) for name, make in makers.items()]
    return [library for library in made if library is not None]


def build(library: Path, make, compiler: str) -> Path | None:
    """Make a library under another name first; None, and a line, if that fails."""
    unfinished = library.with_name(f"unfinished-{library.name}")
    try:
        make(unfinished)
        unfinished.replace(library)  # processes that run the old one keep it
    except subprocess.CalledProcessError as error:
        lines = error.stdout.splitlines() or ["it says nothing"]
        wrong = next((line for line in lines if "error" in line.lower()), lines[-1])
        return refuse(f"{compiler} failed: {wrong.strip()}")
    except OSError as error:
        return refuse(f"{compiler} failed: {error}")
    return library


def refuse(reason: str) -> None:
    print(f"skseq goes without compiled code: {reason}.", file=sys.stderr)


def wheel_tag() -> str:
    """The library is tied to a platform, but to no version of Python."""
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return f"py3-none-{platform}"


class CustomBuildHook(BuildHookInterface):
    """Puts the library into the wheel, or beside the source of an editable install."""

    def initialize(self, version, build_data):
        if version == "editable":
            build_libraries(NATIVE)
            return
        self.folder = tempfile.TemporaryDirectory()  # removed with this object
        for library in build_libraries(Path(self.folder.name)):
            build_data["force_include"][str(library)] = f"skseq/_native/{library.name}"
            build_data["pure_python"] = False
            build_data["tag"] = wheel_tag()


if __name__ == "__main__":
    folders = [Path(word) for word in sys.argv[1:] if word != "--sanitize"]
    built = build_libraries(*folders or [NATIVE], sanitize="--sanitize" in sys.argv)
    sys.exit(LIBRARY not in [library.name for library in built])
