"""The way out: every call to an agent, a tool, a model, a channel or a URL that a user gave goes through here.

    from aispine.guards import http, rules

    guard = rules.of(settings)                      # where calls of this deployment may go
    request = http.Request(method="POST", url=url, headers=headers, body=body, seconds=30, limit=1_000_000)
    answer = http.send(request, guard)              # -> Answer(status, headers, body), redirects not followed
    with http.stream(request, guard) as answer:     # status and headers are there, the body comes as it is sent
        for line in answer.lines(): ...

Each way in which that can fail is a `failures.CallError`, whose `code` is one of the words of agents' failures:
`timeout`, `unavailable`, `invalid_response`, `rejected` (the guard says no) and `cancelled`. Any status is an answer.
The time is one for the whole call, from the name's resolution to the last byte; the limit is for the body unpacked.
`calls.cancel(key)` ends the call of that `Request.key` from another thread.
"""
