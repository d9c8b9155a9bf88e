"""What users declare: plain values that know nothing of AWS CDK, cdk8s or Node."""
