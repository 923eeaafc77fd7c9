"""What each guard looks at and says: pure functions of a Case. `planning.guards` decides which of them apply."""
