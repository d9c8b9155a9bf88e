"""Pod templates as assets in S3."""
