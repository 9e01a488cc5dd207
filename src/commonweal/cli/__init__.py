"""The commands of the command line, several to a file by subject."""
