"""What people write and what is written for them: read with its faults explained, written whole."""
