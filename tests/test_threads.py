"""The thread budget follows affinity, cpuset and quota, read from real trees of files."""

import os
from pathlib import Path

import pytest

from gtekit.errors import ArgumentError
from gtekit.threads import VARIABLE, available_threads

CPUS = 64


@pytest.fixture(autouse=True)
def big_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: CPUS)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(CPUS)), raising=False)


def lay_out(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n", encoding="ascii")
    return root


def test_without_limits_every_cpu_is_used(tmp_path: Path) -> None:
    budget = available_threads(tmp_path)
    assert (budget.threads, budget.reason) == (CPUS, "the machine has 64 CPUs")


def test_affinity_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 7}, raising=False)
    budget = available_threads(tmp_path)
    assert (budget.threads, budget.reason) == (3, "CPU affinity allows 3 of 64 CPUs")


@pytest.mark.parametrize(
    ("quota", "threads"),
    [
        ("400000 100000", 4),
        ("150000 100000", 2),
        ("120000 100000", 1),
        ("10000 100000", 1),
        ("max 100000", CPUS),
        ("", CPUS),
        ("-1 100000", CPUS),
        ("100 0", CPUS),
        ("nonsense", CPUS),
    ],
)
def test_a_quota_of_cgroup_v2_is_rounded_to_threads(tmp_path: Path, quota: str, threads: int) -> None:
    root = lay_out(tmp_path, {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": quota})
    assert available_threads(root).threads == threads


def test_the_tightest_group_of_the_hierarchy_decides(tmp_path: Path) -> None:
    root = lay_out(
        tmp_path,
        {
            "proc/self/cgroup": "0::/kubepods/pod1/container",
            "sys/fs/cgroup/cgroup.controllers": "cpu",
            "sys/fs/cgroup/kubepods/cpu.max": "3200000 100000",
            "sys/fs/cgroup/kubepods/pod1/cpu.max": "200000 100000",
            "sys/fs/cgroup/kubepods/pod1/container/cpu.max": "max 100000",
        },
    )
    budget = available_threads(root)
    assert budget.threads == 2
    assert "pod1 has a quota of 2 CPUs" in budget.reason
    assert len(budget.limits) == 3


def test_a_quota_of_cgroup_v1_is_found_as_seen_from_the_host_and_from_a_container(tmp_path: Path) -> None:
    lines = "12:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc"
    quota = {"cpu.cfs_quota_us": "300000", "cpu.cfs_period_us": "100000", "cgroup.procs": "1"}
    for name, folder in (("host", "docker/abc/"), ("container", "")):
        root = lay_out(tmp_path / name, {"proc/self/cgroup": lines, "sys/fs/cgroup/cpu,cpuacct/tasks": ""})
        lay_out(root, {f"sys/fs/cgroup/cpu,cpuacct/{folder}{file}": content for file, content in quota.items()})
        assert available_threads(root).threads == 3, name


def test_a_cpuset_counts_in_both_versions(tmp_path: Path) -> None:
    second = lay_out(
        tmp_path / "v2", {"proc/self/cgroup": "0::/job", "sys/fs/cgroup/job/cpuset.cpus.effective": "0-3,8,10-11"}
    )
    lay_out(second, {"sys/fs/cgroup/cgroup.procs": ""})
    assert available_threads(second).threads == 7
    first = lay_out(tmp_path / "v1", {"proc/self/cgroup": "3:cpuset:/", "sys/fs/cgroup/cpuset/cpuset.cpus": "1"})
    lay_out(first, {"sys/fs/cgroup/cpuset/tasks": ""})
    assert available_threads(first).threads == 1


@pytest.mark.parametrize("cpuset", ["", "a-b", "5-", "-1", "7-3"])
def test_a_cpuset_that_makes_no_sense_is_no_limit(tmp_path: Path, cpuset: str) -> None:
    root = lay_out(tmp_path, {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cgroup.procs": ""})
    lay_out(root, {"sys/fs/cgroup/cpuset.cpus.effective": cpuset})
    assert available_threads(root).threads == CPUS


def test_a_group_outside_the_container_is_left_out(tmp_path: Path) -> None:
    root = lay_out(tmp_path, {"proc/self/cgroup": "0::/../../other", "sys/fs/cgroup/cpu.max": "200000 100000"})
    lay_out(root, {"sys/fs/other/cpu.max": "100000 100000"})
    assert available_threads(root).threads == 2


def test_the_variable_wins_over_every_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = lay_out(tmp_path, {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "200000 100000"})
    monkeypatch.setenv(VARIABLE, "5")
    budget = available_threads(root)
    assert (budget.threads, budget.reason) == (5, "GTEKIT_THREADS=5")
    assert [limit.threads for limit in budget.limits] == [CPUS, 2]


@pytest.mark.parametrize("value", ["0", "-2", "many", "1.5", "²", "1025", "9" * 5000])
def test_a_variable_that_is_no_number_of_threads_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ArgumentError, match="set it to 1 to 1024"):
        available_threads(tmp_path)


def test_this_very_machine_has_a_budget() -> None:
    assert available_threads().threads >= 1
