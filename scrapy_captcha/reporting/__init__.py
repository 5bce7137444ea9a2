"""What people see: stats, log, figures, reports."""
