"""What a study shows: `cnnlab report`."""
