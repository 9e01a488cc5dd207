"""Evidence sessions: a page, a paper and a pack from a file that says what a meeting is about."""
