"""NTU RGB+D 60 and 120: archives of .skeleton texts, names that say who did what, bodies followed by their id."""
