"""What ``instruments.py`` measures, a file for each part."""
