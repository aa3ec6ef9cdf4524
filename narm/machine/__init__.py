"""What the computer gives: device, threads, memory, caches, files."""
