"""What is said of each subject: of a study, a place, a case, a session."""
