"""HTTP API under /api/v1: routes, problem details, authentication. Calls services; holds no rules of its own.

Add a route group: one new file in api/routes/ and one line in ROUTES.
"""
