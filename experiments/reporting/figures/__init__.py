"""Figures of a search: what they show, and how plotly and matplotlib draw it."""
