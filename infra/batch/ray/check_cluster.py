"""Is a file fit for ``ray up``? python check_cluster.py cluster.yaml [FILE …]

Ray's own check, which needs no account and no network. It does not know what a provider calls its machines.
"""

import logging
import sys
from pathlib import Path

import yaml


def main(path: str) -> int:
    from jsonschema import ValidationError
    from ray.autoscaler._private.util import prepare_config, validate_config

    logging.disable(logging.INFO)
    try:
        config = prepare_config(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
        validate_config(config)
    except ValidationError as error:
        where = "/".join(map(str, error.absolute_path))
        print(f"{path}: {where + ': ' if where else ''}{error.message}")
        return 1
    except KeyError as error:
        print(f"{path}: {error} is missing")
        return 1
    except Exception as error:  # Ray's checks raise assertions and whatever a value of another type leads to
        print(f"{path}: {type(error).__name__}: {error}")
        return 1
    for name, kind in config["available_node_types"].items():
        many = 1 if name == config["head_node_type"] else kind["max_workers"]
        print(f"{many:2} x {name}: {kind['node_config'].get('InstanceType')}, {kind['resources']}")
    return 0


if __name__ == "__main__":
    sys.exit(max(map(main, sys.argv[1:])))
