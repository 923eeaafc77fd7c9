"""Numbers as people read them. The rules live in the model, whose sentences use them too."""

from hactl.model.units import age, duration, measure, moment, number, percent, rate, size

__all__ = ["age", "duration", "measure", "moment", "number", "percent", "rate", "size"]
