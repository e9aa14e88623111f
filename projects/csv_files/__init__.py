"""CSV files of any quality, read in bounded memory: records, guesses about a file, rows as events. No Django."""
