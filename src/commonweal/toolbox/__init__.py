"""For analysts: COINr and COIN Tool files, plots, audit workbooks, what-if."""
