"""What one writes by hand where skseq is not used; for comparison only."""
