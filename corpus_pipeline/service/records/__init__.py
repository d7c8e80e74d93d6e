"""What `service` answers with: one typed record a kind of answer, which is its JSON at the same time.

A key that is always there is required; one that an answer has only where it applies is `NotRequired`. No one but the function
that makes an answer changes it. `json_schema` says which command and which page answers with which record.
"""
