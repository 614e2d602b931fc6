"""The kernels of the recurrences under the sanitizers, without TensorFlow.

`recurrences_driver.cpp` runs them on random batches, in arrays without room to spare,
and compares what they find with loops over single numbers.
"""

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from skseq._native import FOLDER
from tests.native.test_library import CHECKOUT, COMPILER, build  # noqa: F401
from tests.processes import ROOT

pytestmark = [pytest.mark.slow, CHECKOUT, COMPILER]

# Vectors of sixteen numbers are compiled for any processor too.
SIXTEEN_LANES = {"sixteen": ["-DSKSEQ_SIXTEEN_LANES"]}


def has(flag) -> bool:
    """Whether this processor has an instruction set, as far as Linux says."""
    path = Path("/proc/cpuinfo")
    return path.exists() and f" {flag} " in path.read_text()


@pytest.mark.parametrize("name", ["plain", "avx2", "avx512", "sixteen"])
def test_kernels_find_what_a_loop_finds_and_leave_no_array(name, build, tmp_path):  # noqa: F811
    flag = {"avx2": "avx2", "avx512": "avx512f"}.get(name)
    if flag and not (platform.machine() == "x86_64" and has(flag)):
        pytest.skip(f"this processor has no {name}")
    compiler = [shutil.which("c++")]
    options = [*(build.INSTRUCTIONS | SIXTEEN_LANES)[name], *build.SANITIZERS]
    kernels, driver = tmp_path / "kernels.o", tmp_path / "driver"
    build.run(build.kernel_command(compiler, name, options, kernels))
    source = ROOT / "tests" / "native" / "recurrences_driver.cpp"
    options = [*build.OPTIONS, *build.SANITIZERS, f"-DSKSEQ_INSTRUCTIONS={name}"]
    files = [f"-I{FOLDER}", str(source), str(kernels), "-o", str(driver)]
    build.run([*compiler, *options, *files])
    done = subprocess.run([driver, "0", "300"], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == (f"{name}: as expected\n", 0), done.stderr
