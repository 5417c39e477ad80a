"""What is: the frozen nouns of the supply chain, read from the seeds and checked."""
