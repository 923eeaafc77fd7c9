"""The picture as rows, columns and sentences: what both the commands and the dashboard show. No colours, no widgets."""
