"""Result files: shards, the benchmark, and queries of it."""
