"""Speed, memory and size of EmoPy, beside other packages: `python -m benchmarks`."""
