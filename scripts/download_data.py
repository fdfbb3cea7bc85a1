"""Puts data sets where training looks for them, for machines whose nodes have no network.

python scripts/download_data.py fashion_mnist cifar10 [--data-dir DIR]
"""

import argparse

from cnnlab.build import build_data
from cnnlab.cli import report_errors
from cnnlab.conf import choices, composed, register


def main() -> None:
    """Downloads, checks and reads each data set once."""
    register()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=sorted(set(choices("datamodule")) - {"image_folder", "imagenet"}))
    parser.add_argument("--data-dir", default="data", help="as data_dir= of cnnlab train (default: data)")
    arguments = parser.parse_args()
    for name in arguments.names:
        data = build_data(composed(f"datamodule={name}", f"data_dir={arguments.data_dir}"))
        data.prepare_data()
        for stage in ("fit", "test"):
            data.setup(stage)
        print(f"{name}: " + ", ".join(f"{len(images):,} {stage}" for stage, images in data.sets.items()))


if __name__ == "__main__":
    report_errors(main)
