"""Samplers and schedulers: one table entry each, which says what it needs."""
