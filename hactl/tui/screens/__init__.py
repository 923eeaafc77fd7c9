"""One file a screen. A screen shows the newest picture that the app hands it and posts what the operator wants."""
