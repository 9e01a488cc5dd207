"""Places that don't matter: the referendum of 2016, decline, and left-behind areas; association, not cause."""
