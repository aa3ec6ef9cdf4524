"""The process that owns a search: Ray, the dispatcher of its studies, signals and stopping."""
