"""The lab in virtual machines that Vagrant makes: the same nodes by the same scripts, where there are no namespaces."""
