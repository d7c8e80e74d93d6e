"""What the strategy `prompt` is made of: its inputs, its output, what it makes, its checks, and the graph of all tasks."""
