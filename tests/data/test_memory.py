import pytest

from skseq._data import memory
from skseq._data.memory import check_fits, memory_bytes


def test_the_memory_of_this_machine_is_more_than_this_process_takes():
    assert memory_bytes() > 2**28


def test_what_does_not_fit_is_refused_with_what_to_do(monkeypatch):
    monkeypatch.setattr(memory, "memory_bytes", lambda: 2.0**30)
    check_fits(2**30, "Beams", "Lower beam_width.")
    with pytest.raises(
        ValueError, match=r"Beams take at least 2 GiB.*\(1 GiB\). Lower b"
    ):
        check_fits(2**31, "Beams", "Lower beam_width.")
