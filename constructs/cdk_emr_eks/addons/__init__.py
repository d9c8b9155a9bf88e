"""Add-ons: installable parts of the platform, one to a module or package."""
