"""The words of hactl as data: frozen dataclasses, enums and pure functions over them. No I/O, no clock."""
