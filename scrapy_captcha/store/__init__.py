"""What is remembered between the runs of a job."""
