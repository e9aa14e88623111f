"""How forms are rendered."""

from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    pass
