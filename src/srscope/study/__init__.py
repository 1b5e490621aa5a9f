"""From photographs and a network to the record of what its layers tell apart."""
