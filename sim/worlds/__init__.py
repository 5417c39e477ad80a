"""The ensemble: what is true now, in every world (arrays whose last axis is always ``world``)."""
