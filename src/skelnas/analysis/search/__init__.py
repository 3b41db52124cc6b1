"""Search methods run on the table: what each finds, and after how many recorded seconds."""
