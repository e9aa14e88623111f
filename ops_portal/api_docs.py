"""The two browsers of the API's description, Swagger UI and ReDoc, which fetch nothing from elsewhere."""

from __future__ import annotations

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

#: Both write style elements while they draw, and ReDoc searches in a worker made of a blob.
_own_styles = csp_replace({"style-src": [SELF, UNSAFE_INLINE], "worker-src": [SELF, "blob:"]})

swagger = _own_styles(SpectacularSwaggerSplitView.as_view(url_name="schema"))
redoc = _own_styles(SpectacularRedocView.as_view(url_name="schema", template_name="ops_portal/redoc.html"))
