"""The only folder that imports dagster: assets, checks, partitions, resources, sensors, metadata. All of it thin."""
