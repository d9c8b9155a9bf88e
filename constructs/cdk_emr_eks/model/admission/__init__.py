"""Admission policies of tenant namespaces (ValidatingAdmissionPolicy)."""
