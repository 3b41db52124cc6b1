"""The CPU engine: processes of one thread, each training one cell at a time with as little work as gives its result."""
