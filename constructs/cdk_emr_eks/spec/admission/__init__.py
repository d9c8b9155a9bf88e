"""Admission policies of tenant namespaces, as Kubernetes' own ValidatingAdmissionPolicies."""
