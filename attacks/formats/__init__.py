"""Builders and walkers of the formats that Sealite reads, for files that are wrong on purpose."""
