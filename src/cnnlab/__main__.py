"""`python -m cnnlab` is the command `cnnlab`."""

from cnnlab.cli import main

if __name__ == "__main__":
    main()
