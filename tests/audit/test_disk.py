import errno
from pathlib import Path

import pytest

from jamguard.audit.disk import LARGEST, exists, is_file, listed, read, status


def test_what_cannot_be_read_has_nothing_in_it(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"#" * (LARGEST + 1))
    (tmp_path / "small").write_bytes(b"#")
    assert [read(tmp_path / name) for name in ("gone", ".", "large")] == [b"", b"", b""]
    assert read(tmp_path / "small") == b"#"
    assert [path.name for path in listed(tmp_path)] == ["large", "small"]


def test_what_may_not_be_looked_at_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "stat", forbidden)  # root may look everywhere
    monkeypatch.setattr(Path, "iterdir", forbidden)
    assert not exists(tmp_path)
    assert not is_file(tmp_path)
    assert status(tmp_path) is None
    assert listed(tmp_path) == []
    assert read(tmp_path) == b""
