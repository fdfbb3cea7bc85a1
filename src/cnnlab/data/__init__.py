"""Images: where they come from, how they are split, augmented and fed."""

import os

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # else its import asks pypi.org, and warns when offline
