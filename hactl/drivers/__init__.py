"""What hactl knows of each service: questions to ask a node and how to read the answers. No I/O here."""
