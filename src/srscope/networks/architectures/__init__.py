"""Networks that srscope itself defines."""
