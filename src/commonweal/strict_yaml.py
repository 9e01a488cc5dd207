"""YAML in which each key stands once: YAML's own reader would keep the last and drop the others."""

from __future__ import annotations

from functools import cache
from typing import Any

__all__ = ["read_strict"]


def read_strict(text: str) -> Any:
    """Read YAML as plain data.

    Parameters
    ----------
    text
        The content of a file.

    Raises
    ------
    yaml.YAMLError
        If it is not YAML, or a key is there twice or is not plain text.

    Examples
    --------
    >>> read_strict("halls: {unit: km}")
    {'halls': {'unit': 'km'}}
    """
    import yaml

    return yaml.load(text, Loader=_loader())


@cache
def _loader() -> Any:
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(
                    problem="a key is not plain text", problem_mark=key.start_mark
                )
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key '{key.value}' is there twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return loader.construct_mapping(node, deep=True)

    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    return Loader
