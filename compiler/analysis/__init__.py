"""What is known about a graph without changing it."""
