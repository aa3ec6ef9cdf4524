"""Samplers and schedulers, and what each needs to be told."""
