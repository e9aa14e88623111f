"""How lists of the HTTP API are paged."""

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """Pages by cursor: nothing is skipped or shown twice while new rows come in."""

    ordering = "-pk"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
