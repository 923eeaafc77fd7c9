"""What is asked of an inventory's tables together, by what the tables are about. `check` lists the rules."""
