"""What crosses the border: numbers, words, dates, paths and files, read with one clear error each."""
