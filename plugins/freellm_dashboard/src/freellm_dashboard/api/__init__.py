"""The API that the pages use, under `/api`."""
