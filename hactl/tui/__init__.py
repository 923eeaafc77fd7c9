"""The dashboard. Screens and widgets get pictures from above and post messages; none of them does I/O."""

import os

# Frames a second, read when Textual is loaded: what is pressed right after a drawing waits for the next frame.
os.environ.setdefault("TEXTUAL_FPS", "120")
