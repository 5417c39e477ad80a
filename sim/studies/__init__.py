"""Many runs: sweeps that resume, what they show, and what decides them."""
