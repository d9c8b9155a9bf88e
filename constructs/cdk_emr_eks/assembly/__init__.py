"""Read cloud assemblies and CloudFormation's intrinsic functions: the only package that does.

- `open_assembly` (reader) returns an `Assembly`: stacks, nested stacks, products, references,
  Kubernetes objects and charts, missing look-ups. Pass the opened assembly, not its folder.
- `parse` (expressions) returns the tree of a value. Its visitors are `TextView` (text_view: text
  for a person), `ArnPatterns` (arn_patterns: patterns for IAM), `References` and `names`
  (references), and `Resolver` (evaluation: values with what was deployed).
- `at`, `mapping`, `sequence` and `text` (paths) read nested values.
"""

from cdk_emr_eks.assembly.reader import Assembly, AssemblyError, MissingLookup, open_assembly
from cdk_emr_eks.assembly.stack import Environment, Message, Stack, StackKind

__all__ = [
    "Assembly",
    "AssemblyError",
    "Environment",
    "Message",
    "MissingLookup",
    "Stack",
    "StackKind",
    "open_assembly",
]
