"""An application with FastAPI."""

from typing import Annotated

from common import MAIN, METHODS, OPTIONS, OTHERS, REQUIREMENTS, answer, framework_modules, options, reached
from fastapi import APIRouter, Depends, FastAPI, Request, WebSocket
from jwtauth import Grant
from jwtauth.integrations.fastapi import JWTAuth

auth = JWTAuth(MAIN, **OPTIONS)
application = FastAPI()
Name = dict[str, str | None]


@application.get("/reached")
def count() -> dict[str, object]:
    return {"reached": len(reached), "modules": framework_modules()}


@application.get("/public")
async def public() -> Name:
    return answer("/public", None)


@application.get("/optional")
async def optional(grant: Annotated[Grant | None, Depends(auth.optional)]) -> Name:
    return answer("/optional", grant)


@application.api_route("/me", methods=METHODS)
async def me(grant: Annotated[Grant, Depends(auth)]) -> Name:
    return answer("/me", grant)


@application.websocket("/ws")
async def socket(websocket: WebSocket, grant: Annotated[Grant, Depends(auth)]) -> None:
    await websocket.accept()
    await websocket.send_json(answer("/ws", grant))
    await websocket.close()


for path, names in REQUIREMENTS.items():

    # A function that is not async: FastAPI calls it on another thread.
    @application.get(path, name=path)
    def required(request: Request, grant: Annotated[Grant, Depends(auth.requires(**names))]) -> Name:
        return answer(request.url.path, grant)


for name, verifier in OTHERS.items():
    own = JWTAuth(verifier, scheme_name=name, **options(name))

    @application.get(f"/{name}", name=name)
    async def other(request: Request, grant: Annotated[Grant, Depends(own)]) -> Name:
        return answer(request.url.path, grant)


mounted = APIRouter(prefix="/mounted", dependencies=[Depends(auth), Depends(auth.requires())])


@mounted.get("/me")
async def mounted_me(grant: Annotated[Grant, Depends(auth)]) -> Name:
    return answer("/mounted/me", grant)


application.include_router(mounted)
