"""Published protocols and tables, run anew."""
