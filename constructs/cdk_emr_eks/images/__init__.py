"""Images of one's own, built in the account from EMR's."""
