"""A playbook, a request and a picture in; a plan out. Guards: the rules that say Ok, Warn or Refuse. No I/O."""
