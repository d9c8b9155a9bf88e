"""Pod templates in S3."""
