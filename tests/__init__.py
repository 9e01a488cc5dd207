"""The tests, as a package of their own: a package of tests that another distribution brings is not it."""
