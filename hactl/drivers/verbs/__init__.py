"""What hactl can do to a cluster: one file a family of verbs. See `hactl.model.verb` for the shape of one."""
