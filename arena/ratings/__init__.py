"""Ratings: pure functions of the match log. They keep no state: read the log again, get the same."""
