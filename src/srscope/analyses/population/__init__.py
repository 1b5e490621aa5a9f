"""Networks of one recipe that differ in the training seed."""
