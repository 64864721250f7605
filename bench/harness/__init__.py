"""What bench/run and bench/idle share."""
