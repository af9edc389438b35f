"""Files that commands copy for the user."""
