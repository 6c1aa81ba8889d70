"""Measured calls -> tables, statistics, verdict. Pure: no disk, clock or process."""
