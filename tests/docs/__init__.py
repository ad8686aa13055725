"""The site, the README and what they show."""
