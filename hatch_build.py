"""Compiles skseq's C++ while skseq is installed, if there is a compiler.

    python hatch_build.py [--sanitize] [FOLDER]

compiles it into the package, or into another folder, whose library `SKSEQ_NATIVE` may
then name; `--sanitize` adds checks of memory and of undefined behaviour. The compiler
is `CXX`, or the first of c++, g++ and clang++ (on Windows: cl) that there is. Without
one, or if it fails, a line says so, and skseq is installed without compiled code.

The options keep results the same on all machines: no instructions of one processor, no
contraction into fused multiplications.
"""

import os
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
LIBRARY = "libctc" + {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")

OPTIONS = ["-std=c++17", "-O3", "-ffp-contract=off", "-fvisibility=hidden", "-fPIC"]
OPTIONS += ["-shared", "-pthread", "-Wall", "-Wextra"]
SANITIZERS = ["-O1", "-g", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all"]
SANITIZERS += ["-fsanitize=address,undefined"]
OPTIONS_OF_CL = ["/nologo", "/std:c++17", "/O2", "/fp:precise", "/EHsc", "/LD"]


def compiler() -> list[str] | None:
    """The command that compiles C++, or None."""
    if os.environ.get("CXX"):
        return shlex.split(os.environ["CXX"], posix=os.name != "nt")
    names = ("cl",) if os.name == "nt" else ("c++", "g++", "clang++")
    return next(([name] for name in names if shutil.which(name)), None)


def command(compiler: list[str], library: Path, sanitize: bool) -> list[str]:
    """The command line that makes a library."""
    source = sorted(p for p in NATIVE.iterdir() if p.suffix in (".cpp", ".h"))
    checksum = zlib.crc32(b"".join(path.read_bytes() for path in source))
    name = f"SKSEQ_SOURCE={checksum}u"
    if Path(compiler[0]).stem.lower() == "cl":
        outputs = [f"/Fo{library.with_suffix('.obj')}", f"/Fe{library}"]
        return [*compiler, *OPTIONS_OF_CL, f"/D{name}", *outputs, f"{NATIVE}/ctc.cpp"]
    archs = os.environ.get("ARCHFLAGS", "")
    if sysconfig.get_platform().endswith("universal2"):
        archs = archs or "-arch x86_64 -arch arm64"
    options = [*OPTIONS, *shlex.split(archs), *(SANITIZERS if sanitize else [])]
    return [*compiler, *options, f"-D{name}", f"{NATIVE}/ctc.cpp", "-o", str(library)]


def build_library(folder: Path, sanitize: bool = False) -> Path | None:
    """Compile the library into a folder; None, and a line on stderr, if that fails."""
    found = compiler()
    if found is None:
        return refuse("there is no C++ compiler")
    folder.mkdir(parents=True, exist_ok=True)
    library, unfinished = folder / LIBRARY, folder / f"unfinished-{LIBRARY}"
    to_stdout = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    try:
        subprocess.run(command(found, unfinished, sanitize), check=True, **to_stdout)
        unfinished.replace(library)  # processes that run the old one keep it
    except subprocess.CalledProcessError as error:
        lines = error.stdout.splitlines() or ["it says nothing"]
        wrong = next((line for line in lines if "error" in line.lower()), lines[-1])
        return refuse(f"{found[0]} failed: {wrong.strip()}")
    except OSError as error:
        return refuse(f"{found[0]} failed: {error}")
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
            build_library(NATIVE)
            return
        self.folder = tempfile.TemporaryDirectory()  # removed with this object
        library = build_library(Path(self.folder.name))
        if library is not None:
            build_data["force_include"][str(library)] = f"skseq/_native/{LIBRARY}"
            build_data["pure_python"] = False
            build_data["tag"] = wheel_tag()


if __name__ == "__main__":
    folders = [Path(word) for word in sys.argv[1:] if word != "--sanitize"]
    built = build_library(*folders or [NATIVE], sanitize="--sanitize" in sys.argv)
    sys.exit(built is None)
