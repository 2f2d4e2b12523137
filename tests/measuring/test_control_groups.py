import math

import pytest

from fsdl_deploy.measuring import control_groups


@pytest.fixture
def system(tmp_path):
    """A function that writes a process's groups, its mounts and the files of its groups; it gives PROC."""

    def prepare(cgroup: str, mounts: str, **files: str):
        (tmp_path / "cgroup").write_text(cgroup)
        (tmp_path / "mountinfo").write_text(mounts.replace("TMP", str(tmp_path)))
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return prepare


V2 = "29 23 0:26 / TMP/g rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    "32 31 0:29 / TMP/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / TMP/mem rw,relatime - cgroup cgroup rw,memory\n"
)


def test_the_tightest_limit_of_nested_groups_counts(system):
    proc = system(
        "0::/user/job\n",
        V2,
        g__user__cpu_DOT_max="150000 100000\n",
        g__user__job__cpu_DOT_max="max 100000\n",
        g__user__job__memory_DOT_max="536870912\n",
        g__user__memory_DOT_max="max\n",
    )
    assert (control_groups.cores(proc), control_groups.memory(proc)) == (1.5, 2**29)


def test_version_1_has_a_hierarchy_for_each(system):
    groups = {
        "cpu__a__cpu.cfs_quota_us": "50000\n",
        "cpu__a__cpu.cfs_period_us": "100000\n",
        "cpu__cpu.cfs_quota_us": "-1\n",
        "cpu__cpu.cfs_period_us": "100000\n",
        "mem__b__memory.limit_in_bytes": "1000000\n",
        "mem__memory.limit_in_bytes": "9223372036854771712\n",
    }
    proc = system("4:memory:/b\n1:cpu,cpuacct:/a\n0::/\n", V1, **groups)
    assert (control_groups.cores(proc), control_groups.memory(proc)) == (0.5, 1_000_000)


def test_a_container_sees_its_own_group_as_the_root(system):
    mount = V2.replace("0:26 / ", "0:26 /docker/abc ")
    proc = system("0::/docker/abc\n", mount, g__cpu_DOT_max="200000 100000\n")
    assert control_groups.cores(proc) == 2
    assert control_groups.cores(system("0::/../other\n", V2)) == 2, "a path that leads out is the root's"


def test_no_groups_no_limit(system, tmp_path):
    assert control_groups.cores(tmp_path / "none") == control_groups.memory(tmp_path / "none") == math.inf
    assert control_groups.cores(system("0::/\n", V2, g__cpu_DOT_max="max 100000\n")) == math.inf
