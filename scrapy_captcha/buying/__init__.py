"""Whether, what and with which money a solution is bought."""
