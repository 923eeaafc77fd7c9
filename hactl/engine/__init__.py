"""Gathers live health: holds one connection a node, asks every question on time, publishes the newest picture."""
