"""Puts data sets where training looks for them, for machines whose nodes have no network.

python scripts/download_data.py fashion_mnist cifar10 [--data-dir DIR]
"""

import argparse

from hydra import compose, initialize_config_dir

from cnnlab.cell import resolved
from cnnlab.cli import report_errors
from cnnlab.conf import choices, conf_folder, register
from cnnlab.train import build_data


def main() -> None:
    """Downloads, checks and reads each data set once."""
    register()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=sorted(set(choices("datamodule")) - {"image_folder"}))
    parser.add_argument("--data-dir", default="data", help="as data_dir= of cnnlab train (default: data)")
    arguments = parser.parse_args()
    for name in arguments.names:
        with initialize_config_dir(str(conf_folder()), version_base="1.3"):
            config = resolved(compose("train", [f"datamodule={name}", f"data_dir={arguments.data_dir}"]))
        data = build_data(config)
        data.prepare_data()
        for stage in ("fit", "test"):
            data.setup(stage)
        print(f"{name}: " + ", ".join(f"{len(images):,} {stage}" for stage, images in data.sets.items()))


if __name__ == "__main__":
    report_errors(main)
