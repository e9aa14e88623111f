"""Incremental learning, pure: specs, progressive evaluation, drift, and artifacts of River models.

Nothing here imports Django or Celery, reads a clock or touches a file other than the packaged catalogue. Modules that
need River import it at their top; `catalogue`, `spec`, `templates`, `measures`, `labels` and `points` never do, so that
web pages can validate a spec or list the metrics without the three seconds an import of River takes.
"""
