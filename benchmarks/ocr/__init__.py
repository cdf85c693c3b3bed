"""How well and how fast `ocr_structured` reads specimens whose truth is known."""
