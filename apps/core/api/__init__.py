"""The base of every REST view: paging, strict filters and bodies, chosen fields, and errors a person can act on.

Import from the modules: `serializers.PortalSerializer`, `viewsets.PortalViewSet`. Nothing is imported here, because
DRF reads its settings (which name classes of this package) while its own views are still being imported.
"""
