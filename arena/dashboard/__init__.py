"""Dashboard: the report of a league as a page that follows it, served to browsers, strictly for looking."""
