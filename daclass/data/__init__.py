"""From pictures and annotations of any source to an index, .beton files and label sets."""
