"""What chosen networks get right and wrong, recording by recording (`results.networks`)."""
