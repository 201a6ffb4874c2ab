"""Every answer of the API and every body that it takes, as types; the document and the pages' types come from these."""
