"""AI Spine beside others of its kind, each in an environment of its own and used as its documentation says."""
