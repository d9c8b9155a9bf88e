"""Who may do what, which key encrypts, and which findings are accepted."""
