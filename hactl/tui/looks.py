"""How the dashboard looks: its theme, from the first paint on, and the style sheet, read no oftener than needed."""

from __future__ import annotations

from textual.app import App

from hactl.model.dashboard import Settings
from hactl.tui import themes


class Looks(App[None]):
    """`settings` are the user's; `memory` keeps the theme that was chosen."""

    def __init__(self, settings: Settings | None = None, memory: themes.Memory | None = None) -> None:
        super().__init__()
        self.settings = settings or Settings()
        self._memory = memory
        self._styled: set[str] = set()  # places whose screens look as the present theme wants them to
        for theme in themes.ALL:
            self.register_theme(theme)
        self._begin_with(self.settings.theme or (memory.recall() if memory is not None else None) or themes.DARK)

    def _begin_with(self, theme: str) -> None:
        """What setting `theme` does, for an app that shows nothing yet: that would have the whole style sheet read
        once more, 9 ms. Only colours by ANSI's numbers, which nothing here has, stay the dark theme's for now.
        """
        self.set_reactive(App.theme, theme)
        self.stylesheet.set_variables(self.get_css_variables())
        dark = self.current_theme.dark
        self.set_class(dark, "-dark-mode", update=False)
        self.set_class(not dark, "-light-mode", update=False)
        self.add_class(f"-theme-{theme}", update=False)

    def on_load(self) -> None:
        """What all screens inherit is there before the first of them."""
        self.stylesheet.apply(self)

    def styled(self, place: str) -> None:
        """The place's screen is being made: all that it consists of is styled when it is mounted."""
        self._styled.add(place)

    def watch_theme(self) -> None:
        self._styled.clear()

    def refresh_css(self, animate: bool = True) -> None:  # noqa: FBT001, FBT002 - Textual's
        """Not for screens that look right: Textual has the style sheet read and applied anew, twice, wherever a screen
        is shown for the first time. That was a tenth of the way to the first paint.
        """
        if self.current_mode not in self._styled:
            super().refresh_css(animate)
            self._styled.add(self.current_mode)

    def action_next_theme(self) -> None:
        self.choose_theme(themes.following(self.theme))

    def choose_theme(self, name: str) -> None:
        """Show it, and remember it for the next start."""
        self.theme = name
        told = f"theme: {name}"
        if self.settings.theme is not None and self.settings.theme != name:
            told += f"; the next start has {self.settings.theme} again, which {self.settings.file} says"
        elif self._memory is not None and (why := self._memory.keep(name)):
            told += f"; it is not remembered: {self._memory.file}: {why}"
        self.notify(told, timeout=3, markup=False)
