"""Formats: kinds of tournaments, one file each."""
