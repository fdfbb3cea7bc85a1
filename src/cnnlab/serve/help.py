"""What `cnnlab serve` says of itself."""

SERVE_HELP = """cnnlab serve run=RUN [port=8000] [host=127.0.0.1]

A page on this machine: drop an image, or take one of the test set, and see
the five likeliest classes and where the network looked (Grad-CAM).

  port=8000               0 takes one that is free
  host=127.0.0.1          others see it with host=0.0.0.0; there is no password

Files are decided by their content: JPEG, PNG, WebP, GIF, BMP, TIFF, PPM of at
most 20 MiB and 40 million pixels; nothing is kept. Ctrl-C ends it.
Needs starlette, uvicorn, matplotlib, captum: pip install 'cnnlab[serve]'
"""
