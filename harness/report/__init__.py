"""Says what a run found: stored tables -> markdown and pictures. No statistics here."""
