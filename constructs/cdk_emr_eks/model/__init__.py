"""Plain values that users declare, and what follows from them. No module here needs Node."""
