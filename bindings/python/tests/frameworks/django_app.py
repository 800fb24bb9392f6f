"""Applications with Django and Django REST framework. ``DJANGO`` in the environment tells which: ``middleware``, ``rest``, or
``users``, where the backend logs in users of a database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import django
from common import REQUIREMENTS, VERIFIERS, answer, framework_modules, options, reached
from django.conf import settings

KIND = os.environ["DJANGO"]
settings.configure(
    SECRET_KEY="a secret of the tests",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="django_app",
    MIDDLEWARE=["jwtauth.integrations.django.JWTAuthMiddleware"] * 2 if KIND == "middleware" else [],
    JWTAUTH={
        "VERIFIER": VERIFIERS[os.environ["VERIFIER"]],
        **{name.upper(): value for name, value in options(os.environ["VERIFIER"]).items()},
        **({"USERS": "create"} if KIND == "users" else {}),
    },
    AUTHENTICATION_BACKENDS=["jwtauth.integrations.django_auth.JWTAuthBackend"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": Path(os.environ["VERIFIERS"]).with_name("users.sqlite3"),
            "OPTIONS": {"timeout": 60},
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
    REST_FRAMEWORK={"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]},
)
django.setup()

from asgiref.sync import iscoroutinefunction  # noqa: E402
from django.contrib.auth import authenticate  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from django.utils.decorators import method_decorator  # noqa: E402
from django.views import View as DjangoView  # noqa: E402
from jwtauth.integrations.django import grant_of, public, requires  # noqa: E402
from jwtauth.integrations.rest_framework import JWTAuthentication  # noqa: E402
from jwtauth.integrations.rest_framework import requires as needs  # noqa: E402
from rest_framework.permissions import AllowAny, IsAuthenticated  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402


@public
def count(_: HttpRequest) -> JsonResponse:
    return JsonResponse({"reached": len(reached), "modules": framework_modules()})


def handler(request: HttpRequest) -> JsonResponse:
    return JsonResponse(answer(request.path, grant_of(request)))


async def async_handler(request: HttpRequest) -> JsonResponse:
    return JsonResponse(answer(request.path, grant_of(request)))


@public
def open_handler(request: HttpRequest) -> JsonResponse:
    return JsonResponse(answer(request.path, grant_of(request)))


protected = requires(policy="deploy")(async_handler)
assert iscoroutinefunction(protected)


def middleware_urls() -> list[Any]:
    return [
        path("public", open_handler),
        path("me", handler),
        path("deploy", protected),
        path("mounted/", include([path("me", async_handler)])),
        *(path(name[1:], requires(**names)(handler)) for name, names in REQUIREMENTS.items()),
    ]


class AsyncViews(DjangoView):
    async def get(self, request: HttpRequest) -> JsonResponse:
        return JsonResponse(answer(request.path, grant_of(request)))


@method_decorator(requires(policy="deploy"), name="dispatch")
class AsyncDeploy(AsyncViews):
    pass


@method_decorator([requires(role="admin"), requires(policy="deploy")], name="dispatch")
class AsyncAdmin(AsyncViews):
    pass


class View(APIView):
    def handle(self, request: Request) -> Response:
        grant: Any = request.auth
        return Response(answer(request.path, grant))

    get = post = put = delete = handle


def view(*permissions: Any, authentication: Any = (JWTAuthentication,)) -> Any:
    class Made(View):
        authentication_classes = authentication
        permission_classes = permissions

    return Made.as_view()


def rest_urls() -> list[Any]:
    return [
        path("public", view(authentication=())),
        path("optional", view(AllowAny)),
        path("me", view(IsAuthenticated)),
        path("mounted/", include([path("me", view(IsAuthenticated))])),
        *(path(name[1:], view(needs(**names))) for name, names in REQUIREMENTS.items()),
    ]


def login(request: HttpRequest) -> JsonResponse:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    user: Any = authenticate(request, token=token)
    if user is None:
        return JsonResponse({"error": "the login failed"}, status=401)
    reached.append(request.path)
    return JsonResponse({"name": user.get_username(), "is_staff": user.is_staff, "pk": user.pk})


def user_urls() -> list[Any]:
    call_command("migrate", verbosity=0)
    return [path("me", login)]


KINDS = {"middleware": middleware_urls, "rest": rest_urls, "users": user_urls}
urlpatterns = [
    path("reached", count),
    path("class/deploy", AsyncDeploy.as_view()),
    path("class/admin", AsyncAdmin.as_view()),
    *KINDS[KIND](),
]
application = get_asgi_application() if os.environ.get("SERVER") == "uvicorn" else get_wsgi_application()
