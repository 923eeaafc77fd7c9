"""The dashboard. Screens and widgets get pictures from above and post messages; none of them does I/O."""
