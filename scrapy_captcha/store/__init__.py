"""State that is kept between the runs of a job."""
