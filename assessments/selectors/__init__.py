"""Reading assessments for pages and exports: frozen dataclasses, in a known number of queries."""
