"""The pages, by subject. Each asks the service and shows what it says."""
