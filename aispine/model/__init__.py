"""Language models behind an OpenAI-compatible chat endpoint: what they are asked, what they answer, what that costs.

    turn = client.ask(model, question, key="...", guard=guard, seconds=30, limit=1_000_000)

`chat` holds the values, `errors` says what a refusal means, `standin` plays a model over HTTP for samples and tests.
"""
