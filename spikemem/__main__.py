"""`python -m spikemem`."""

from spikemem.cli import main

if __name__ == "__main__":
    main()
