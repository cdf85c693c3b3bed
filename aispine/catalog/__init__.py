"""The catalog of flows: deploying their versions and looking them up, where `-` and `_` are equal."""

from aispine.catalog.deployment import Deployed, check, delete, deploy, warnings
from aispine.catalog.lookup import diff, find, list_flows, load_flow, source, version, versions
from aispine.catalog.values import FlowEntry, FlowVersion, VersionEntry

__all__ = [
    "Deployed",
    "FlowEntry",
    "FlowVersion",
    "VersionEntry",
    "check",
    "delete",
    "deploy",
    "diff",
    "find",
    "list_flows",
    "load_flow",
    "source",
    "version",
    "versions",
    "warnings",
]
