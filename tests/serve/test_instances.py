"""Several instances over one Redis. `make test-serve-instances` runs the same for a minute."""

from instances import check, kill


def test_a_killed_instance_loses_nothing_and_accepts_nothing_revoked() -> None:
    counts = kill(6, 0.0)
    check(counts)
    assert counts.now["kills"] == 6
