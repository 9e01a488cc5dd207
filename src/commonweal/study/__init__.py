"""A study: run from its file to results, and what is asked of one."""
