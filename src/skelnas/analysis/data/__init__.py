"""What an image set holds: its images, its numbers, and what an encoding makes of a recording."""
