"""A process that sends the calls of a worker and reads their answers, so that none is lost when the worker dies.

A worker is busy: it judges, parses and commits, and meanwhile answers that are paid for lie in sockets, which a kill closes.
The reader does nothing but send, read and write: an answer is in a file before it is passed on. It is no member of the
worker's process group and session, it outlives a kill of the worker, reads the answers of the calls that are out, and ends.
The next start of the task waits for it and takes the answers in.

`channel` is the worker's side, `process` the other one, `frames` what goes between them over a pair of sockets: keys go that
way only, and nowhere to disk. `left` is what a reader of a dead worker leaves.
"""
