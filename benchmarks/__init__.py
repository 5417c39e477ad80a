"""Speed side by side: the same toy chain computed in several ways, measured in one run."""
