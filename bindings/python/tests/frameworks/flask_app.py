"""An application with Flask."""

from __future__ import annotations

from typing import Any

from common import MAIN, OPTIONS, OTHERS, REQUIREMENTS, answer, framework_modules, options, reached
from flask import Blueprint, Flask, request
from jwtauth.integrations.flask import JWTAuth

application = Flask(__name__)
auth = JWTAuth(MAIN, application, **OPTIONS)
# Installed twice, which changes nothing.
auth.init_app(application)


@application.errorhandler(Exception)
def swallowed(_: Exception) -> dict[str, Any]:
    return {"name": "swallowed"}


@application.get("/reached")
@auth.public
def count() -> dict[str, object]:
    return {"reached": len(reached), "modules": framework_modules()}


@application.get("/public")
@auth.public
def public() -> dict[str, Any]:
    return answer(request.path, auth.grant)


@application.route("/me", methods=["GET", "POST", "PUT", "DELETE"])
def me() -> dict[str, Any]:
    return answer(request.path, auth.grant)


for path, names in REQUIREMENTS.items():

    def required() -> dict[str, Any]:
        return answer(request.path, auth.grant)

    application.add_url_rule(path, path, auth.requires(**names)(required))

for name, verifier in OTHERS.items():
    own = JWTAuth(verifier, **options(name))

    def other(own: JWTAuth = own) -> dict[str, Any]:
        return answer(request.path, own.grant)

    # Public for `auth`, and protected by another one.
    application.add_url_rule(f"/{name}", name, auth.public(own.requires()(other)))

mounted = Blueprint("mounted", __name__, url_prefix="/mounted")


@mounted.get("/me")
def mounted_me() -> dict[str, Any]:
    return answer(request.path, auth.grant)


application.register_blueprint(mounted)
