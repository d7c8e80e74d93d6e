"""The stand-in model server: speaks the OpenAI API, thinks nothing, costs nothing, and says so in every answer.

For demos, load tests and fault drills. Answers are a function of the request (and of the attempt where faults are asked
for), so that two runs can be compared; what it answered is written down before it is sent, as a provider's invoice is.
"""

from corpus_pipeline.llm_stub.options import StubOptions
from corpus_pipeline.llm_stub.server import RunningStub, running, serve

__all__ = ["RunningStub", "StubOptions", "running", "serve"]
