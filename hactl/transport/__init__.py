"""Ways to reach a node: the only room that knows SSH. Nothing here judges what it carries."""
