"""IAM documents, the platform's KMS key, and suppressed findings of static checkers."""
