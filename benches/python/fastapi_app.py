"""An application with FastAPI, for `frameworks.py`: the same route without a check, with jwtauth, and with PyJWT by hand.

The environment has the algorithm, the key and the verifier. It runs with uvicorn on a socket that listens already.
"""

import json
import os
import socket
import sys
from typing import Annotated, Any

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from jwtauth import Grant, Verifier
from jwtauth.integrations.fastapi import JWTAuth

SETTINGS: dict[str, Any] = json.loads(os.environ["SETTINGS"])
ISSUER, AUDIENCE = SETTINGS["issuer"], SETTINGS["audience"]
app = FastAPI()


@app.get("/plain")
async def plain() -> dict[str, str]:
    return {"name": "somebody"}


for name, made in SETTINGS["keys"].items():
    config = {"keys": [made["source"]], "algorithms": [name], "issuer": ISSUER, "audiences": [AUDIENCE]}
    auth = JWTAuth(Verifier({"dialect": "native", "config": config}), scheme_name=name)
    bearer = HTTPBearer()
    # Prepared once, as PyJWT recommends.
    key = jwt.PyJWK(made["jwk"], algorithm=name)

    @app.get(f"/jwtauth/{name}")
    async def with_jwtauth(grant: Annotated[Grant, Depends(auth)]) -> dict[str, str | None]:
        return {"name": grant.identity.name}

    def by_hand(name: str = name, key: Any = key, bearer: HTTPBearer = bearer) -> Any:
        async def claims(given: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> dict[str, Any]:
            try:
                found: dict[str, Any] = jwt.decode(
                    given.credentials, key, [name], audience=AUDIENCE, issuer=ISSUER, options={"require": ["exp"]}
                )
            except jwt.InvalidTokenError:
                raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"}) from None
            return found

        return claims

    @app.get(f"/pyjwt/{name}")
    async def with_pyjwt(claims: Annotated[dict[str, Any], Depends(by_hand())]) -> dict[str, str]:
        return {"name": claims["sub"]}


if __name__ == "__main__":
    listener = socket.socket(fileno=int(sys.argv[1]))
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
