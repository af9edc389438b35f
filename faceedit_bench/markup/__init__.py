"""What pages are made of: HTML and SVG as values, tables, plots, a document that loads nothing."""
