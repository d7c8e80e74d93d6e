"""The way to a model: client, failures, backoff, limits, prices, the provider's Batch API and a stand-in server."""
