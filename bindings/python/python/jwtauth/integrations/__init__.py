"""Integrations with web frameworks: who sent this request, and may they use this route?

Each module needs only its own framework, which ``pip install "jwtauth[NAME]"`` installs:

=====================  =====================================================
module                 what it has
=====================  =====================================================
``asgi``, ``wsgi``     a middleware for any application of the kind
``starlette``          a middleware for the application, a mount or a route
``fastapi``            a dependency that returns a ``Grant``
``flask``              an extension
``django``             a middleware and a decorator
``django_auth``        an authentication backend
``rest_framework``     an authentication class and a permission class
=====================  =====================================================

All of them decide in the same way. A request without a valid token gets the status 401. A valid token that does not allow the
request gets 403. If the keys are out of reach, the status is 503. A response never contains a token or the value of a claim.
"""
