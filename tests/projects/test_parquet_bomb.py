"""A Parquet file that unpacks to far more than it says."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa
from django.conf import settings

from tests.projects.sent_files import parquet


def test_a_bomb_takes_no_more_memory_than_its_reader_may_have(tmp_path):
    # 100 kB or so that unpack to 512 MB, whatever the file says about itself.
    column = pa.array(["a" * 2**27] * 4, pa.large_string())
    (tmp_path / "bomb").write_bytes(
        parquet({"x": column}, compression="zstd", use_dictionary=False, data_page_size=2**31 - 1)
    )
    assert (tmp_path / "bomb").stat().st_size < 2**20
    code = "from projects.parquet_files import child; child.MEMORY = 300 * 2**20; child.main({!r}, 0)"
    done = subprocess.run(
        [sys.executable, "-c", code.format(str(tmp_path / "bomb"))],
        cwd=settings.BASE_DIR,
        capture_output=True,
        timeout=60,
    )
    assert b"takes more than 300 MB of memory" in done.stdout
