"""What a machine is called: the name that a tuned choice is kept under."""

from pathlib import Path

import pytest

from gtekit.machine import Machine, processor_name, this_machine


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        ("processor\t: 0\nmodel name\t: AMD EPYC 9654\n", "AMD EPYC 9654"),
        # of a Graviton 2 and a Graviton 3: the same architecture, not the same machine
        ("processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n", "implementer 0x41, part 0xd0c"),
        ("processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd40\n", "implementer 0x41, part 0xd40"),
    ],
)
def test_a_cpu_is_named_by_its_model(tmp_path: Path, cpuinfo: str, expected: str) -> None:
    (tmp_path / "cpuinfo").write_text(cpuinfo, encoding="utf-8")
    assert processor_name(tmp_path / "cpuinfo").endswith(expected)


def test_a_cpu_without_a_name_has_that_of_its_architecture(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("", encoding="utf-8")
    assert processor_name(tmp_path / "cpuinfo")
    assert processor_name(tmp_path / "none")


def test_a_machine_says_what_it_is() -> None:
    assert this_machine("scalar").cpus >= 1
    assert str(Machine(processor="A CPU", cpus=1, kernels="avx2")) == "A CPU, 1 CPU, avx2"
