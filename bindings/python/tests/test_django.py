"""The integrations with Django and REST framework, in this process: settings, decorators, users of the database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import nullcontext
from functools import wraps
from typing import Any

import django
import pytest
from conftest import CONFIG, PATIENCE, PUBLIC_TOKEN, KeyServer, remote, token
from django.conf import settings

from jwtauth import Verifier

settings.configure(
    SECRET_KEY="a secret of the tests",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "file:users?mode=memory&cache=shared"}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
    AUTHENTICATION_BACKENDS=[
        "django.contrib.auth.backends.ModelBackend",
        "jwtauth.integrations.django_auth.JWTAuthBackend",
    ],
    JWTAUTH={"VERIFIER": Verifier(CONFIG)},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from asgiref.sync import iscoroutinefunction  # noqa: E402
from django.contrib.auth import aauthenticate, authenticate, get_user_model  # noqa: E402
from django.core.exceptions import ImproperlyConfigured, ValidationError  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import DataError, IntegrityError, transaction  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import AsyncRequestFactory, Client, RequestFactory, override_settings  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils.decorators import method_decorator  # noqa: E402
from django.views import View  # noqa: E402
from django.views.decorators.cache import never_cache  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402
from rest_framework.permissions import AllowAny, IsAdminUser, IsAuthenticated  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.test import APIRequestFactory, force_authenticate  # noqa: E402
from rest_framework.views import APIView  # noqa: E402
from rest_framework.viewsets import ViewSetMixin  # noqa: E402

from jwtauth.integrations.django import JWTAuthMiddleware, grant_of, integration, public, requires  # noqa: E402
from jwtauth.integrations.django_auth import user_of  # noqa: E402
from jwtauth.integrations.rest_framework import JWTAuthentication  # noqa: E402
from jwtauth.integrations.rest_framework import requires as needs  # noqa: E402

VERIFIER: Verifier = settings.JWTAUTH["VERIFIER"]
NUMBER = 1


def view(request: HttpRequest) -> HttpResponse:
    grant = grant_of(request)
    return HttpResponse("no grant" if grant is None else grant.identity.name)


urlpatterns = [path("", view)]


def asked(bearer: str | None = None) -> HttpRequest:
    return RequestFactory().get("/", headers={} if bearer is None else {"Authorization": f"Bearer {bearer}"})


def through(view: Any, request: HttpRequest) -> Any:
    """Calls a view through the middleware, as Django does."""

    def get_response(request: HttpRequest) -> Any:
        return middleware.process_view(request, view, (), {}) or view(request)

    middleware = JWTAuthMiddleware(get_response)
    return middleware(request)


@pytest.fixture(scope="module", autouse=True)
def tables() -> None:
    call_command("migrate", verbosity=0)


@pytest.fixture(autouse=True)
def users(tables: None) -> Iterator[Any]:
    model: Any = get_user_model()
    yield model
    model.objects.all().delete()


def configured(**options: Any) -> Any:
    return override_settings(JWTAUTH={"VERIFIER": VERIFIER, **options})


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        {},
        [],
        {"VERIFIER": None},
        {"VERIFIER": CONFIG},
        {"VERIFIER": VERIFIER, "OPTIONEL": True},
        {"VERIFIER": VERIFIER, "OPTIONAL": "no"},
        {"VERIFIER": VERIFIER, "OPTIONAL": None},
        {"VERIFIER": VERIFIER, "REMOTE_ADDR": False},
        {"VERIFIER": VERIFIER, "REMOTE_ADDR": "test_django.NUMBER"},
        {"VERIFIER": VERIFIER, "USERS": True},
        {"VERIFIER": VERIFIER, "USERS": "all"},
        {"VERIFIER": VERIFIER, "PROFILE": 1},
        {"VERIFIER": VERIFIER, "REALM": "a\nb"},
        {"VERIFIER": "jwtauth.Verifier"},
    ],
)
def test_a_wrong_setting_is_reported_when_the_server_starts(wrong: Any) -> None:
    with override_settings(JWTAUTH=wrong), pytest.raises(ImproperlyConfigured):
        JWTAuthMiddleware(view)


def test_settings_may_name_what_they_use() -> None:
    with override_settings(JWTAUTH={"VERIFIER": "test_django.VERIFIER", "REMOTE_ADDR": "test_django.address"}):
        assert integration().remote_addr(asked()) == "192.0.2.1"
        assert through(view, asked(token())).content == b"alice"


def address(_: HttpRequest) -> str:
    return "192.0.2.1"


def test_a_view_needs_a_grant_unless_it_is_public() -> None:
    opened = public(lambda request: view(request))
    assert through(view, asked()).status_code == 401
    assert through(view, asked(token())).content == b"alice"
    assert through(opened, asked()).content == b"no grant"
    # It is not decided, so a client may send it an old token.
    assert through(opened, asked(token(exp=1))).content == b"no grant"


def test_a_public_view_opens_no_other_one() -> None:
    @method_decorator(public, name="dispatch")
    class Opened(View):
        def get(self, request: HttpRequest) -> HttpResponse:
            return view(request)

    class Inherited(Opened):
        pass

    @method_decorator(never_cache, name="dispatch")
    class Decorated(Opened):
        pass

    class Overridden(Opened):
        def dispatch(self, request: HttpRequest, *args: Any, **arguments: Any) -> Any:
            return super().dispatch(request, *args, **arguments)

    @method_decorator(public, name="dispatch")
    class Again(Opened):
        pass

    class Closed(View):
        get = Opened.get

    def function(request: HttpRequest) -> HttpResponse:
        return view(request)

    class ClosedRest(APIView):
        authentication_classes: Any = []

        def get(self, request: Request) -> Response:
            return Response()

    @method_decorator(public, name="dispatch")
    class OpenedRest(ClosedRest):
        pass

    class InheritedRest(OpenedRest):
        pass

    class InheritedSet(ViewSetMixin, OpenedRest):
        pass

    @method_decorator(public, name="dispatch")
    class OpenedSet(ViewSetMixin, ClosedRest):
        pass

    for opened in (
        public(function),
        csrf_exempt(public(function)),
        Opened.as_view(),
        Again.as_view(),
        csrf_exempt(Opened.as_view()),
        public(Closed.as_view()),
        public(Inherited.as_view()),
        OpenedRest.as_view(),
        OpenedSet.as_view({"get": "get"}),
    ):
        assert through(opened, asked()).status_code == 200
    for closed in (
        function,
        Inherited.as_view(),
        csrf_exempt(Inherited.as_view()),
        Decorated.as_view(),
        Overridden.as_view(),
        Closed.as_view(),
        InheritedRest.as_view(),
        InheritedSet.as_view({"get": "get"}),
    ):
        assert through(closed, asked()).status_code == 401


def test_a_public_asynchronous_view_stays_asynchronous() -> None:
    async def function(request: HttpRequest) -> HttpResponse:
        return view(request)

    @method_decorator(public, name="dispatch")
    class Views(View):
        async def get(self, request: HttpRequest) -> HttpResponse:
            return view(request)

    for opened in (public(function), public(Views.as_view()), Views.as_view()):
        assert iscoroutinefunction(opened)
        assert asyncio.run(opened(asked())).content == b"no grant"
    assert not iscoroutinefunction(public(view))


def test_a_token_is_optional_where_that_is_configured() -> None:
    with configured(OPTIONAL=True):
        assert through(view, asked()).content == b"no grant"
        assert through(view, asked(token())).content == b"alice"
        assert through(view, asked(token(exp=1))).status_code == 401
        assert through(requires(role="editor")(view), asked()).status_code == 401
        assert through(requires()(view), asked()).status_code == 401


@pytest.mark.parametrize("decide", [through, lambda view, request: view(request)], ids=["middleware", "alone"])
def test_a_requirement_holds_with_and_without_the_middleware(decide: Any) -> None:
    class Views(View):
        @method_decorator(requires(role="editor"))
        def get(self, request: HttpRequest) -> HttpResponse:
            return view(request)

    for editors in (requires(role="editor")(view), requires(role="editor")(public(lambda request: view(request))), Views.as_view()):
        assert decide(editors, asked(token())).content == b"alice"
        assert decide(editors, asked()).status_code == 401
        assert decide(editors, asked(token(groups=["staff"]))).status_code == 403
    both = requires(role="editor")(requires(group="guests")(view))
    assert decide(both, asked(token())).status_code == 403


def test_a_grant_that_was_put_into_a_request_is_not_taken() -> None:
    request: Any = asked()
    request._jwtauth = (object(), VERIFIER.authenticate(token()))
    assert requires()(view)(request).status_code == 401
    assert through(view, request).status_code == 401


def test_django_logs_no_request_that_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """Its logger has the request, and sends it to the administrators if the status is 503."""
    middleware = ["jwtauth.integrations.django.JWTAuthMiddleware"]
    with override_settings(MIDDLEWARE=middleware, ROOT_URLCONF="test_django", ALLOWED_HOSTS=["*"]):
        client = Client()
        assert client.get("/").status_code == 401
        assert client.get("/", headers={"Authorization": f"Bearer {token()}"}).content == b"alice"
    assert caplog.records == []


def test_asynchronous_views_are_decided_on_the_event_loop() -> None:
    @requires(role="editor")
    async def protected(request: HttpRequest) -> HttpResponse:
        return view(request)

    async def main() -> None:
        async def get_response(request: HttpRequest) -> HttpResponse:
            refusal: HttpResponse | None = await middleware.process_view(request, protected, (), {})
            return refusal or await protected(request)

        middleware = JWTAuthMiddleware(get_response)
        for bearer, status in ((token(), 200), (token(exp=1), 401), (token(groups=[]), 403)):
            request = AsyncRequestFactory().get("/", headers={"Authorization": f"Bearer {bearer}"})
            response: Any = await middleware(request)  # type: ignore[misc]
            assert response.status_code == status

    asyncio.run(main())


def test_an_asynchronous_class_does_not_block_the_event_loop() -> None:
    """Its `dispatch` is a plain function that returns a coroutine."""

    def without_a_mark(view: Any) -> Any:
        return wraps(view)(lambda *arguments, **named: view(*arguments, **named))

    class Views(View):
        async def get(self, request: HttpRequest) -> HttpResponse:
            return view(request)

    @method_decorator(requires(), name="dispatch")
    class Decorated(Views):
        pass

    @method_decorator([requires(), without_a_mark], name="dispatch")
    class Among(Views):
        pass

    class Overridden(Views):
        @method_decorator(requires())
        def dispatch(self, request: HttpRequest, *args: Any, **arguments: Any) -> Any:
            return super().dispatch(request, *args, **arguments)

    class Called(Views):
        def dispatch(self, request: HttpRequest, *args: Any, **arguments: Any) -> Any:
            return requires()(super().dispatch)(request, *args, **arguments)

    async def main(server: KeyServer, asked: Any) -> HttpResponse:
        waiting = asyncio.ensure_future(asked)
        await asyncio.to_thread(server.asked.wait, PATIENCE)
        # This line would not be reached if the view waited on the loop.
        server.released.set()
        response: HttpResponse = await waiting
        return response

    for views in (Decorated, Among, Overridden, Called):
        with KeyServer.started() as server:
            server.silent = 1
            with configured(VERIFIER=Verifier(remote(server.url, timeout="300s"))):
                request = AsyncRequestFactory().get("/", headers={"Authorization": f"Bearer {PUBLIC_TOKEN}"})

                async def called(views: Any = views, request: HttpRequest = request) -> Any:
                    return await views.as_view()(request)

                assert asyncio.run(main(server, called())).content == b"alice"


def test_the_backend_returns_the_user_that_a_token_names(users: Any) -> None:
    alice = users.objects.create_user("alice")
    assert authenticate(asked(), token=token()) == alice
    assert authenticate(None, token=token()) == alice
    assert asyncio.run(aauthenticate(asked(), token=token())) == alice
    for wrong in (token(exp=1), "a.b.c", "", token(sub="bob"), token(sub="Alice"), token(sub="alice ")):
        assert authenticate(asked(), token=wrong) is None
    # Passwords are for the other backend.
    assert authenticate(asked(), username="alice", password=token()) is None
    alice.is_active = False
    alice.save()
    assert authenticate(asked(), token=token()) is None


def test_a_user_is_created_only_where_that_is_configured(users: Any) -> None:
    assert authenticate(asked(), token=token()) is None
    with configured(USERS="existing"):
        assert authenticate(asked(), token=token()) is None
    assert users.objects.count() == 0
    with configured(USERS="create"):
        created: Any = authenticate(asked(), token=token())
        assert authenticate(asked(), token=token()) == created
    assert (created.username, created.is_staff, created.is_superuser, created.has_usable_password()) == (
        "alice",
        False,
        False,
        False,
    )


@pytest.mark.parametrize("wrong", ["false", 0, None])
def test_only_a_boolean_says_whether_users_are_created(users: Any, wrong: Any) -> None:
    with pytest.raises(TypeError, match="`create` must be True or False"):
        user_of(VERIFIER.authenticate(token()), create=wrong)
    assert users.objects.count() == 0


def test_another_form_of_a_name_is_another_user(users: Any) -> None:
    """Django writes names in the form NFKC, in which these are `admin`."""
    users.objects.create_superuser("admin")
    for name in ("ａdmin", "ᵃdmin", "ADMIN", "admin\u200b"):
        grant = VERIFIER.authenticate(token(sub=name))
        for create in (False, True):
            user: Any = user_of(grant, create=create)
            assert user is None or (user.username == name and not user.is_superuser)


@pytest.mark.parametrize("in_transaction", [False, True])
def test_two_first_requests_of_a_user_create_it_once(
    users: Any, monkeypatch: pytest.MonkeyPatch, in_transaction: bool
) -> None:
    get = type(users.objects).get_by_natural_key

    def get_first(manager: Any, name: str) -> Any:
        try:
            return get(manager, name)
        except users.DoesNotExist:
            # The other request.
            manager.create_user(name)
            raise

    monkeypatch.setattr(type(users.objects), "get_by_natural_key", get_first)
    with transaction.atomic() if in_transaction else nullcontext():
        user: Any = user_of(VERIFIER.authenticate(token()), create=True)
    assert (user.username, users.objects.count()) == ("alice", 1)


@pytest.mark.parametrize("name", ["a" * 151, "\0", "alice\0", "a" * 10_000])
def test_a_name_that_no_user_can_have_is_refused(users: Any, name: str) -> None:
    for create in (False, True):
        assert user_of(VERIFIER.authenticate(token(sub=name)), create=create) is None
    assert users.objects.count() == 0
    longest = "a" * 150
    user: Any = user_of(VERIFIER.authenticate(token(sub=longest)), create=True)
    assert user.username == longest


@pytest.mark.parametrize("why", [DataError, IntegrityError, ValueError, ValidationError])
@pytest.mark.parametrize("method", ["get_by_natural_key", "create_user"])
def test_a_name_that_the_database_refuses_is_refused(
    users: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, method: str, why: type[Exception]
) -> None:
    def refuse(*_: object) -> None:
        raise why("a secret name")

    monkeypatch.setattr(type(users.objects), method, refuse)
    with configured(USERS="create"):
        assert authenticate(asked(), token=token()) is None
        assert rest(IsAuthenticated)(asked(token())).status_code == 403
    assert users.objects.count() == 0
    assert {record.getMessage() for record in caplog.records if record.name == "jwtauth"} == {
        f"the name in a grant cannot be that of a user: {why.__name__}"
    }


class Rest(APIView):
    authentication_classes = [JWTAuthentication]
    permission_classes: Any = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        return Response({"user": str(request.user), "grant": request.auth is not None})


def rest(*permissions: Any) -> Any:
    class Made(Rest):
        permission_classes = permissions

    return Made.as_view()


def test_permissions_of_rest_framework_read_the_grant() -> None:
    for permissions, status in (
        ([IsAuthenticated], 200),
        ([needs(role="editor")], 200),
        ([needs(role="editor"), needs(group="guests")], 403),
        ([needs(role="admin")], 403),
        ([needs(role="admin") | needs(group="ops")], 200),
        # The names in a token give no rights of Django.
        ([IsAdminUser], 403),
    ):
        assert rest(*permissions)(asked(token(sub="admin"))).status_code == status
        refused = rest(*permissions)(asked())
        assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer")
    # Also where anybody is allowed, an invalid token is refused.
    assert rest(AllowAny)(asked(token(exp=1))).status_code == 401
    assert rest(AllowAny)(asked()).data == {"user": "AnonymousUser", "grant": False}


def test_a_requirement_refuses_with_a_challenge_unless_another_permission_may_let_the_request_in() -> None:
    admin, editor = needs(role="admin"), needs(role="editor")
    for permissions, challenge in (
        ([admin], True),
        ([IsAuthenticated, editor, admin], True),
        ([admin | IsAdminUser, admin], True),
        # REST framework's own response.
        ([admin | IsAdminUser], False),
        ([(admin & editor) | IsAdminUser], False),
    ):
        refused = rest(*permissions)(asked(token()))
        assert (refused.status_code, refused.has_header("WWW-Authenticate")) == (403, challenge)
        if challenge:
            assert refused["WWW-Authenticate"].startswith('Bearer error="insufficient_scope", ')
            assert refused.data == {
                "error": "insufficient_scope",
                "message": "the grant does not have what this request requires",
            }
    # Also if the same class is alone in the list of another view.
    assert rest(admin | editor)(asked(token())).status_code == 200


def test_the_user_of_another_authentication_has_no_grant(users: Any) -> None:
    request = APIRequestFactory().get("/")
    force_authenticate(request, users.objects.create_superuser("root"))
    assert rest(needs())(request).status_code == 403
    assert rest(IsAdminUser)(request).status_code == 200


def test_the_user_of_a_grant_is_no_user_of_the_database(users: Any) -> None:
    user, grant = JWTAuthentication().authenticate(Request(asked(token(sub="1")))) or (None, None)
    assert user is not None and grant is not None
    assert (user.get_username(), user.is_authenticated, user.is_staff, user.is_superuser) == ("1", True, False, False)
    assert not user.has_perm("auth.add_user") and not user.has_perms([]) and not user.has_module_perms("auth")
    users.objects.create_user("first", id=1)
    with pytest.raises(ValueError, match="expected a number"):
        users.objects.filter(id=user.id).count()


def test_rest_framework_can_have_the_users_of_the_database(users: Any) -> None:
    users.objects.create_user("alice")
    with configured(USERS="existing"):
        assert rest(IsAuthenticated)(asked(token())).data["user"] == "alice"
        assert rest(IsAuthenticated)(asked(token(sub="bob"))).status_code == 403
        assert rest(AllowAny)(asked(token(sub="bob"))).status_code == 403
    assert users.objects.count() == 1


class Changed(Rest):
    permission_classes = [AllowAny]

    def post(self, request: Request) -> Response:
        grant: Any = request.auth
        return Response(grant.identity.name)


urlpatterns.append(path("changed", Changed.as_view()))
CSRF = "c" * 32


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        # Another site can cause these. An empty header or parameter counts as absent.
        ({"Cookie": "session={}"}, 403),
        ({"Cookie": "other=1; session={}", "Authorization": ""}, 403),
        ({"Cookie": f"session={{}}; csrftoken={CSRF}"}, 403),
        ({"Cookie": f"session={{}}; csrftoken={CSRF}", "X-CSRFToken": "d" * 32}, 403),
        ({"Cookie": "session={}", "X-CSRFToken": CSRF}, 403),
        ({"Cookie": f"session={{}}; csrftoken={CSRF}", "X-CSRFToken": CSRF}, 200),
        # No other site can send these.
        ({"Authorization": "Bearer {}"}, 200),
        ({"Authorization": "Bearer {}", "Cookie": "session=a.b.c"}, 200),
        ({"Authorization": "Bearer {}", "Cookie": "other=1"}, 200),
    ],
)
def test_with_a_token_in_a_cookie_a_change_needs_a_csrf_token(users: Any, headers: dict[str, str], status: int) -> None:
    verifier = Verifier({**CONFIG, "config": {**CONFIG["config"], "token": {"query": "token", "cookie": "session"}}})
    filled = {name: value.replace("{}", token()) for name, value in headers.items()}
    options = {"VERIFIER": verifier, "USERS": "create"}
    with override_settings(JWTAUTH=options, ROOT_URLCONF="test_django", ALLOWED_HOSTS=["*"]):
        client = Client(enforce_csrf_checks=True)
        for url in ("/changed", "/changed?token=", "/changed?x=1&token=&token=a.b.c"):
            response = client.post(url, headers=filled)
            assert (response.status_code, users.objects.count()) == (status, int(status == 200)), url
            assert (response.json() == "alice") == (status == 200)
        # Reading needs none.
        assert client.get("/changed", headers=filled).status_code == 200


def test_with_a_token_in_the_query_no_csrf_token_is_needed_unless_the_cookie_is_there_too() -> None:
    for place, status in (({"query": "token"}, 200), ({"query": "token", "cookie": "session"}, 403)):
        verifier = Verifier({**CONFIG, "config": {**CONFIG["config"], "token": place}})
        with override_settings(JWTAUTH={"VERIFIER": verifier}, ROOT_URLCONF="test_django", ALLOWED_HOSTS=["*"]):
            client = Client(enforce_csrf_checks=True)
            url = f"/changed?token={token()}"
            assert client.post(url).status_code == 200
            assert client.post(url, headers={"Cookie": "other=1"}).status_code == 200
            assert client.post(url, headers={"Cookie": "session=a.b.c"}).status_code == status


def test_with_a_token_in_the_header_of_the_cookies_a_change_needs_a_csrf_token() -> None:
    verifier = Verifier({**CONFIG, "config": {**CONFIG["config"], "token": {"header": "cookie", "prefix": "session="}}})
    with override_settings(JWTAUTH={"VERIFIER": verifier}, ROOT_URLCONF="test_django", ALLOWED_HOSTS=["*"]):
        client = Client(enforce_csrf_checks=True)
        assert client.get("/changed", headers={"Cookie": f"session={token()}"}).status_code == 200
        assert client.post("/changed", headers={"Cookie": f"session={token()}"}).status_code == 403
