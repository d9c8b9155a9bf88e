"""State machines that run each job in a namespace that exists only for that job."""
