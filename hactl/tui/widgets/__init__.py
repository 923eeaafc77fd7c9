"""Widgets that draw `view` rows. Remote text is drawn as segments and Text objects, never as markup."""
