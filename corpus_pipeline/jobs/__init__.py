"""Jobs: claim a stage of a task, work it batch by batch, commit each batch with its cursor, look for a pause, go on."""
