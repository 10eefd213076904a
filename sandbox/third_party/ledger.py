"""A third party's append-only ledger: one JSON line per entry, in the file before the reply goes out.

Entries survive a killed process (they are handed to the kernel, not synced to the disk: a power cut ends the sandbox
anyway). A line torn by a kill is cut off at the next start: its reply never went out.
"""

import json
from pathlib import Path

Entry = dict[str, str | int]


class Ledger:
    """The entries of one file, also by idempotency key and by order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._by_key: dict[str, Entry] = {}
        self._by_order: dict[str, list[Entry]] = {}
        self._count = 0
        path.touch()
        whole = 0
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                self._index(json.loads(line))
        self._file = path.open("r+b")
        self._file.truncate(whole)
        self._file.seek(whole)

    def __len__(self) -> int:
        return self._count

    def append(self, entry: Entry) -> None:
        """Adds an entry; OSError where it cannot be written."""
        self._file.write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        self._index(entry)

    def with_key(self, key: str) -> Entry | None:
        """The entry made for this idempotency key, if there is one."""
        return self._by_key.get(key)

    def of_order(self, order_id: str) -> list[Entry]:
        """The order's entries, oldest first."""
        return self._by_order.get(order_id, [])

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _index(self, entry: Entry) -> None:
        self._count += 1
        key = str(entry["idempotency_key"])
        if key:
            self._by_key[key] = entry
        self._by_order.setdefault(str(entry["order_id"]), []).append(entry)
