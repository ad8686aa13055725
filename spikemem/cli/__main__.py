"""`python -m spikemem.cli`."""

from spikemem.cli import main

if __name__ == "__main__":
    main()
