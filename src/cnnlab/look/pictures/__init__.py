"""One picture a module: `draw` makes it of a subject, `CHEAP` says whether it takes seconds only."""
