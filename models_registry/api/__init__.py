"""The HTTP API of models, runs, versions and deployments."""
