"""Files, locks, the cache, processes, memory, users' code: no science."""
