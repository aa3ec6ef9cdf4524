"""What a training step minimises, and the negatives it draws."""
